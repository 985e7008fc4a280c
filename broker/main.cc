// SPDX-License-Identifier: Apache-2.0
// gantry-broker: command line, signals, exit code.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "broker/app.h"
#include "config/broker_config.h"
#include "log/log.h"

namespace {

using gantry::Result;
using gantry::config::BrokerConfig;

constexpr gantry::Logger kLog("broker");

void init_logging(const BrokerConfig& config) {
  gantry::log::Options options;
  if (const auto level = gantry::log::parse_level(config.log_level)) options.level = *level;
  if (const auto format = gantry::log::parse_format(config.log_format)) options.format = *format;
  gantry::log::init_logging(std::move(options));
}

int fail(const std::string& message) {
  std::fprintf(stderr, "gantry-broker: %s\n", message.c_str());
  return 1;
}

// Blocked before any thread exists, so that only wait_for_signal() gets them.
sigset_t block_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

// Each queue, connection and log file is a descriptor: take what the hard limit gives.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) kLog.warn("the limit of open files cannot be raised");
}

int serve(BrokerConfig config, std::string config_file, const sigset_t& signals) {
  const std::string address = config.bind_address;
  gantry::broker::BrokerApp app(std::move(config), {.config_file = std::move(config_file)});
  if (const auto started = app.start(); !started) return fail(started.error().message);
  std::printf("gantry-broker is ready on %s:%u\n", address.c_str(),
              static_cast<unsigned>(app.remoting_port()));
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  kLog.info("stopping signal={}", signal);
  app.stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli("Gantry broker: RocketMQ-compatible messages, queues and consumers");
  gantry::config::Inputs inputs;
  bool print_config = false;
  cli.add_option("-c,--config", inputs.file,
                 "Configuration file: YAML (.yaml, .yml) or properties, e.g. broker.conf");
  cli.add_option("--set", inputs.overrides, "key=value; wins over the file; may be repeated")
      ->allow_extra_args(false);
  cli.add_flag("-p,--print-config", print_config, "Print the effective configuration and exit");
  cli.set_version_flag("-v,--version", std::string("gantry-broker ") + GANTRY_VERSION);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return cli.exit(e);
  }

  auto loaded = gantry::config::load_broker_config(inputs);
  if (!loaded) return fail(loaded.error().message);
  if (print_config) {
    std::fputs(gantry::config::to_properties_text(loaded->config).c_str(), stdout);
    return 0;
  }
  const sigset_t signals = block_signals();
  init_logging(loaded->config);
  raise_descriptor_limit();
  for (const auto& warning : loaded->warnings) kLog.warn("{}", warning);
  return serve(std::move(loaded->config), inputs.file, signals);
}
