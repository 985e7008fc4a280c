// SPDX-License-Identifier: Apache-2.0
// gantry-namesrv: command line, signals, exit code.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "config/namesrv_config.h"
#include "log/log.h"
#include "namesrv/app.h"

namespace {

using gantry::Result;
using gantry::config::NamesrvConfig;

constexpr gantry::Logger kLog("namesrv");

void init_logging(const NamesrvConfig& config) {
  gantry::log::Options options;
  if (const auto level = gantry::log::parse_level(config.log_level)) options.level = *level;
  if (const auto format = gantry::log::parse_format(config.log_format)) options.format = *format;
  gantry::log::init_logging(std::move(options));
}

int fail(const std::string& message) {
  std::fprintf(stderr, "gantry-namesrv: %s\n", message.c_str());
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

// As RocketMQ: a NameServer started from a properties file stores changes at run time there, so
// that the next start has them. A YAML file is never rewritten; configStorePath then stays what it
// is.
void store_changes_in_config_file(const std::string& file, NamesrvConfig& config) {
  if (file.empty() || file.ends_with(".yaml") || file.ends_with(".yml")) return;
  const auto defaults = gantry::config::load_namesrv_config({});
  if (!defaults || config.config_store_path != defaults->config.config_store_path) return;
  std::error_code error;
  const auto absolute = std::filesystem::absolute(file, error);
  config.config_store_path = error ? file : absolute.string();
}

int serve(NamesrvConfig config, const sigset_t& signals) {
  const std::string address = config.bind_address;
  gantry::namesrv::NamesrvApp app(std::move(config));
  if (const auto started = app.start(); !started) return fail(started.error().message);
  std::printf("gantry-namesrv is ready on %s:%u\n", address.c_str(),
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
  CLI::App cli("Gantry NameServer: route table of a RocketMQ-compatible cluster");
  gantry::config::Inputs inputs;
  bool print_config = false;
  cli.add_option("-c,--config", inputs.file,
                 "Configuration file: YAML (.yaml, .yml) or properties, e.g. namesrv.conf");
  cli.add_option("--set", inputs.overrides, "key=value; wins over the file; may be repeated")
      ->allow_extra_args(false);
  cli.add_flag("-p,--print-config", print_config, "Print the effective configuration and exit");
  cli.set_version_flag("-v,--version", std::string("gantry-namesrv ") + GANTRY_VERSION);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return cli.exit(e);
  }

  auto loaded = gantry::config::load_namesrv_config(inputs);
  if (!loaded) return fail(loaded.error().message);
  store_changes_in_config_file(inputs.file, loaded->config);
  if (print_config) {
    std::fputs(gantry::config::to_properties_text(loaded->config).c_str(), stdout);
    return 0;
  }
  const sigset_t signals = block_signals();
  init_logging(loaded->config);
  for (const auto& warning : loaded->warnings) kLog.warn("{}", warning);
  return serve(std::move(loaded->config), signals);
}
