// SPDX-License-Identifier: Apache-2.0
// Helpers for the files that describe commands to CLI11. Include from .cc files only.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "cli/context.h"
#include "cli/failure.h"

namespace gantry::cli {

// A group of commands, e.g. `topic`; one of them must be named.
inline CLI::App* add_family(CLI::App& app, const std::string& name, const std::string& what) {
  CLI::App* family = app.add_subcommand(name, what);
  family->require_subcommand(1);
  family->fallthrough();
  return family;
}

// One command. `run` is called after the whole command line has been parsed.
inline CLI::App* add_command(CLI::App& parent, Context& context, const std::string& name,
                             const std::string& what, const std::string& examples,
                             std::function<Outcome()> run) {
  CLI::App* command = parent.add_subcommand(name, what);
  command->footer("Examples:\n" + examples +
                  "Every command also takes --namesrv, --timeout and --json; see gantry --help.");
  command->fallthrough();
  command->callback([&context, run = std::move(run)] { context.command = run; });
  return command;
}

inline void add_broker_filter(CLI::App& command, BrokerFilter& filter) {
  command.add_option("--cluster", filter.cluster, "Only brokers of this cluster")
      ->type_name("NAME");
  command.add_option("--broker", filter.broker, "Only this broker")->type_name("NAME");
}

}  // namespace gantry::cli
