// SPDX-License-Identifier: Apache-2.0
// gantry-sidecar: the process around the sidecar, and the preStop hook that lets a broker drain.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "config/sidecar_config.h"
#include "process/server.h"
#include "sidecar/app.h"
#include "sidecar/drain.h"

namespace {

using gantry::config::SidecarConfig;
using gantry::process::Server;
using gantry::sidecar::Drained;
using gantry::sidecar::DrainOptions;
using gantry::sidecar::DrainOutcome;
using gantry::sidecar::SidecarApp;

constexpr std::chrono::milliseconds kLastWords{500};

// A preStop hook must never hold up the end of its pod: whatever the broker's side of a connection
// does, the process ends with the timeout, and with 0.
int run_drain(const Server& server, const std::string& broker_http_address, double timeout_s,
              double linger_s) {
  auto host_port = gantry::config::host_port_of(broker_http_address);
  if (!host_port) {
    return server.fail(
        "--broker-http-address " + broker_http_address + ": " + host_port.error().message,
        Server::kUsageError);
  }
  DrainOptions options;
  options.host_port = *std::move(host_port);
  // What it says itself at its end is better than what is said for it.
  const auto timeout = std::chrono::milliseconds(static_cast<std::int64_t>(timeout_s * 1000));
  options.timeout = timeout - std::min(kLastWords, timeout / 10);
  options.linger = std::chrono::milliseconds(static_cast<std::int64_t>(linger_s * 1000));
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
    server.fail(
        (done.drained == Drained::kTimedOut ? "not drained in time: " : "nothing to wait for: ") +
        done.text);
  }
  std::_Exit(0);  // the thread may still hang in a question
}

}  // namespace

int main(int argc, char** argv) {
  Server server("gantry-sidecar", "Gantry sidecar: keeps the leader label of its broker's pod true",
                "sidecar.yaml");
  std::string broker_http_address = SidecarConfig{}.broker_http_address;
  double timeout_s = 30;
  double linger_s = 0;
  CLI::App* drain = server.command_line().add_subcommand(
      "drain",
      "Let the broker hand over leadership and wait for it, as a preStop hook; ends with 0");
  drain->add_option("--broker-http-address", broker_http_address, "http://HOST:PORT of the broker")
      ->capture_default_str();
  drain->add_option("--timeout", timeout_s, "Seconds after which to give up")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
  drain
      ->add_option("--linger", linger_s,
                   "Seconds that a broker stays after it has handed over, within the timeout")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  if (const auto exit_code = server.parse(argc, argv)) return *exit_code;
  if (drain->parsed()) return run_drain(server, broker_http_address, timeout_s, linger_s);
  return server.run(
      gantry::config::load_sidecar_config(server.inputs()), &SidecarConfig::http_address,
      [](SidecarConfig config) { return std::make_unique<SidecarApp>(std::move(config)); },
      &SidecarApp::http_port);
}
