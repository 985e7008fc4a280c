// SPDX-License-Identifier: Apache-2.0
// Adds the commands to the command line. Each family lives in a file of its own; parsing a command
// sets Context::command.
#pragma once

namespace CLI {
class App;
}

namespace gantry::cli {

class Context;

void add_up_command(CLI::App& app, Context& context);
void add_topic_commands(CLI::App& app, Context& context);
void add_group_commands(CLI::App& app, Context& context);
void add_message_commands(CLI::App& app, Context& context);
void add_produce_command(CLI::App& app, Context& context);
void add_consume_command(CLI::App& app, Context& context);
void add_bench_commands(CLI::App& app, Context& context);
void add_log_commands(CLI::App& app, Context& context);
void add_cluster_command(CLI::App& app, Context& context);
void add_members_commands(CLI::App& cluster, Context& context);
void add_recover_command(CLI::App& cluster, Context& context);
// Last: it completes what is there.
void add_completion_command(CLI::App& app, Context& context);

}  // namespace gantry::cli
