// SPDX-License-Identifier: Apache-2.0
// What the servers have in common as processes: their command line, the start of logging, the line
// that says they are ready, the signal that ends them, exit codes. Main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/load.h"
#include "process/signals.h"

namespace gantry::process {

class Server {
 public:
  static constexpr int kFailed = 1, kUsageError = 2;

  // `name` is the program's; `example` a file that -c takes.
  Server(std::string name, const std::string& description, const std::string& example);

  // For options and commands of its own, before parse().
  CLI::App& command_line() { return command_line_; }
  // An exit code when there is nothing more to do: --help, --version, wrong usage.
  std::optional<int> parse(int argc, char** argv);
  const config::Inputs& inputs() const { return inputs_; }

  // Says on stderr why the process ends.
  int fail(std::string_view message, int code = kFailed) const;

  // From the loaded configuration to the end of the process. `make_app` makes the server of a
  // configuration: it has start(), stop() and `port`; `address` is where that port is.
  template <class Config, class MakeApp, class Port>
  int run(Result<config::Loaded<Config>> loaded, std::string Config::* address, MakeApp make_app,
          Port port) const {
    if (!loaded) return fail(loaded.error().message);
    if (print_config_) return print(to_properties_text(loaded->config));
    const sigset_t signals = begin(loaded->config.log_level, loaded->config.log_format);
    tell(loaded->warnings);
    const std::string host = loaded->config.*address;
    auto app = make_app(std::move(loaded->config));
    if (const auto started = app->start(); !started) return fail(started.error().message);
    wait(host, std::invoke(port, *app), signals);
    app->stop();
    return 0;
  }

 private:
  int print(const std::string& text) const;
  // Signals are blocked before any thread exists.
  sigset_t begin(const std::string& log_level, const std::string& log_format) const;
  void tell(const std::vector<std::string>& warnings) const;
  void wait(const std::string& address, std::uint16_t port, const sigset_t& signals) const;

  const std::string name_;
  CLI::App command_line_;
  config::Inputs inputs_;
  bool print_config_ = false;
};

}  // namespace gantry::process
