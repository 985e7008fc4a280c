// SPDX-License-Identifier: Apache-2.0
#include "cli/run.h"

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace gantry::cli {
namespace {

constexpr const char* kDescription =
    "gantry: the command line tool of the Gantry message broker. Works with every broker that "
    "speaks\nApache RocketMQ's remoting protocol.";
constexpr const char* kFooter =
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 no answer from NameServer or "
    "broker.\n"
    "Start here:\n"
    "  gantry up --data ./data           a NameServer and a broker on this machine\n"
    "  gantry topic create orders        a topic\n"
    "  gantry produce orders 'hello'     a message\n"
    "  gantry consume orders --follow    all messages, and those to come";

void add_global_options(CLI::App& app, Context& context) {
  GlobalOptions& options = context.options;
  if (context.env.variable) {
    if (auto namesrv = context.env.variable("NAMESRV_ADDR"); namesrv && !namesrv->empty()) {
      options.namesrv = std::move(*namesrv);
    }
  }
  app.add_option("-n,--namesrv", options.namesrv,
                 "NameServers, host:port;host:port (or variable NAMESRV_ADDR)")
      ->type_name("ADDR")
      ->capture_default_str();
  app.add_option("--timeout", options.timeout_ms, "How long to wait for an answer, ms")
      ->type_name("MS")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{3'600'000}))
      ->capture_default_str();
  app.add_flag("--json", options.json, "One JSON document instead of a table");
}

void add_all_commands(CLI::App& app, Context& context) {
  app.require_subcommand(1);
  add_up_command(app, context);
  add_topic_commands(app, context);
  add_group_commands(app, context);
  add_message_commands(app, context);
  add_produce_command(app, context);
  add_consume_command(app, context);
  add_bench_commands(app, context);
  add_cluster_command(app, context);
  add_log_commands(app, context);
  add_completion_command(app, context);
}

void report(Environment& environment, const Failure& failure) {
  environment.err << "gantry: " << printable(failure.message) << '\n';
  if (!failure.hint.empty()) environment.err << failure.hint << '\n';
  environment.err << std::flush;
}

}  // namespace

int run(const std::vector<std::string>& arguments, Environment& environment) {
  Context context(environment);
  CLI::App app(kDescription, "gantry");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("gantry ") + GANTRY_VERSION);
  add_global_options(app, context);
  add_all_commands(app, context);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    const bool help = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    app.exit(error, environment.out, environment.err);
    environment.out << std::flush;
    return static_cast<int>(help ? ExitCode::kOk : ExitCode::kUsage);
  }
  const Outcome outcome = context.command();
  environment.out << std::flush;
  if (!outcome) {
    report(environment, outcome.error());
    return static_cast<int>(outcome.error().code);
  }
  if (!environment.out) {
    report(environment, {ExitCode::kFailed, "the output could not be written", {}});
    return static_cast<int>(ExitCode::kFailed);
  }
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace gantry::cli
