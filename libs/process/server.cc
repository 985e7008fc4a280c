// SPDX-License-Identifier: Apache-2.0
#include "process/server.h"

#include <cstdio>

#include "log/log.h"

namespace gantry::process {
namespace {
constexpr Logger kLog("process");
}

Server::Server(std::string name, const std::string& description, const std::string& example)
    : name_(std::move(name)), command_line_(description) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that goes away is an error of the write
  command_line_.add_option("-c,--config", inputs_.file,
                           "Configuration file: YAML (.yaml, .yml) or properties, e.g. " + example);
  command_line_
      .add_option("--set", inputs_.overrides, "key=value; wins over the file; may be repeated")
      ->allow_extra_args(false);
  command_line_.add_flag("-p,--print-config", print_config_,
                         "Print the effective configuration and exit");
  command_line_.set_version_flag("-v,--version", name_ + " " + GANTRY_VERSION);
}

std::optional<int> Server::parse(int argc, char** argv) {
  try {
    command_line_.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return command_line_.exit(e) == 0 ? 0 : kUsageError;
  }
  return std::nullopt;
}

int Server::fail(std::string_view message, int code) const {
  std::fprintf(stderr, "%s: %.*s\n", name_.c_str(), static_cast<int>(message.size()),
               message.data());
  return code;
}

int Server::print(const std::string& text) const {
  std::fputs(text.c_str(), stdout);
  return 0;
}

sigset_t Server::begin(const std::string& log_level, const std::string& log_format) const {
  const sigset_t signals = block_stop_signals();
  log::Options options;
  if (const auto level = log::parse_level(log_level)) options.level = *level;
  if (const auto format = log::parse_format(log_format)) options.format = *format;
  log::init_logging(std::move(options));
  return signals;
}

void Server::tell(const std::vector<std::string>& warnings) const {
  for (const std::string& warning : warnings) kLog.warn("{}", warning);
}

void Server::wait(const std::string& address, std::uint16_t port, const sigset_t& signals) const {
  std::printf("%s is ready on %s:%u\n", name_.c_str(), address.c_str(), unsigned{port});
  std::fflush(stdout);
  kLog.info("stopping signal={}", wait_for_signal(signals));
}

}  // namespace gantry::process
