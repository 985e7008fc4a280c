// SPDX-License-Identifier: Apache-2.0
// gantry-sidecar: command line, signals, exit code.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <thread>

#include "config/sidecar_config.h"
#include "log/log.h"
#include "sidecar/app.h"
#include "sidecar/drain.h"

namespace {

using gantry::Result;
using gantry::config::SidecarConfig;
using gantry::sidecar::Drained;
using gantry::sidecar::DrainOptions;
using gantry::sidecar::DrainOutcome;

constexpr gantry::Logger kLog("sidecar");
constexpr int kUsageError = 2;
constexpr std::chrono::milliseconds kLastWords{500};

void init_logging(const SidecarConfig& config) {
  gantry::log::Options options;
  if (const auto level = gantry::log::parse_level(config.log_level)) options.level = *level;
  if (const auto format = gantry::log::parse_format(config.log_format)) options.format = *format;
  gantry::log::init_logging(std::move(options));
}

int fail(const std::string& message, int code = 1) {
  std::fprintf(stderr, "gantry-sidecar: %s\n", message.c_str());
  return code;
}

// Blocked before any thread exists, so that only sigwait() gets them.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

int serve(const gantry::config::Inputs& inputs, bool print_config) {
  auto loaded = gantry::config::load_sidecar_config(inputs);
  if (!loaded) return fail(loaded.error().message);
  if (print_config) {
    std::fputs(gantry::config::to_properties_text(loaded->config).c_str(), stdout);
    return 0;
  }
  const sigset_t signals = block_signals();
  init_logging(loaded->config);
  const std::string address = loaded->config.http_address;
  gantry::sidecar::SidecarApp app(std::move(loaded->config));
  if (const auto started = app.start(); !started) return fail(started.error().message);
  std::printf("gantry-sidecar is ready on %s:%u\n", address.c_str(),
              static_cast<unsigned>(app.http_port()));
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  kLog.info("stopping signal={}", signal);
  app.stop();
  return 0;
}

// A preStop hook must never hold up the end of its pod: whatever the broker's side of a connection
// does, the process ends with the timeout, and with 0.
int run_drain(const std::string& broker_http_address, double timeout_s) {
  auto host_port = gantry::config::host_port_of(broker_http_address);
  if (!host_port) {
    return fail("--broker-http-address " + broker_http_address + ": " + host_port.error().message,
                kUsageError);
  }
  DrainOptions options;
  options.host_port = *std::move(host_port);
  // What it says itself at its end is better than what is said for it.
  const auto timeout = std::chrono::milliseconds(static_cast<std::int64_t>(timeout_s * 1000));
  options.timeout = timeout - std::min(kLastWords, timeout / 10);
  std::promise<DrainOutcome> promise;
  auto outcome = promise.get_future();
  std::thread([&options, &promise] {
    promise.set_value(gantry::sidecar::drain(options));
  }).detach();
  const bool in_time = outcome.wait_for(timeout) == std::future_status::ready;
  const DrainOutcome done =
      in_time ? outcome.get()
              : DrainOutcome{Drained::kTimedOut, "the broker has not answered completely"};
  if (done.drained == Drained::kMoved) {
    std::printf("gantry-sidecar: drained: %s\n", done.text.c_str());
    std::fflush(stdout);
  } else {
    fail((done.drained == Drained::kTimedOut ? "not drained in time: " : "nothing to wait for: ") +
         done.text);
  }
  std::_Exit(0);  // the thread may still hang in a question
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App cli("Gantry sidecar: keeps the leader label of its broker's pod true");
  gantry::config::Inputs inputs;
  bool print_config = false;
  cli.add_option("-c,--config", inputs.file,
                 "Configuration file: YAML (.yaml, .yml) or properties");
  cli.add_option("--set", inputs.overrides, "key=value; wins over the file; may be repeated")
      ->allow_extra_args(false);
  cli.add_flag("-p,--print-config", print_config, "Print the effective configuration and exit");
  cli.set_version_flag("-v,--version", std::string("gantry-sidecar ") + GANTRY_VERSION);
  std::string broker_http_address = SidecarConfig{}.broker_http_address;
  double timeout_s = 30;
  CLI::App* drain = cli.add_subcommand(
      "drain",
      "Let the broker hand over leadership and wait for it, as a preStop hook; ends with 0");
  drain->add_option("--broker-http-address", broker_http_address, "http://HOST:PORT of the broker")
      ->capture_default_str();
  drain->add_option("--timeout", timeout_s, "Seconds after which to give up")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return cli.exit(e) == 0 ? 0 : kUsageError;
  }
  return drain->parsed() ? run_drain(broker_http_address, timeout_s) : serve(inputs, print_config);
}
