// SPDX-License-Identifier: Apache-2.0
#include "namesrv/node_status.h"

#include <nlohmann/json.hpp>
#include <string>

namespace gantry::namesrv {
namespace {

using metrics::MetricSpec;
using metrics::MetricType;

// The loop ticks every second; this long without one means it hangs.
constexpr std::int64_t kLoopStallMs = 30'000;

constexpr MetricSpec kAccepted{"gantry_namesrv_connections_accepted_total", MetricType::kCounter,
                               "Remoting connections accepted"};
constexpr MetricSpec kRejected{"gantry_namesrv_connections_rejected_total", MetricType::kCounter,
                               "Remoting connections closed at once because of the limit"};
constexpr MetricSpec kFramesIn{"gantry_namesrv_received_frames_total", MetricType::kCounter,
                               "Remoting frames received"};
constexpr MetricSpec kBytesIn{"gantry_namesrv_received_bytes_total", MetricType::kCounter,
                              "Bytes received over remoting"};
constexpr MetricSpec kBytesOut{"gantry_namesrv_sent_bytes_total", MetricType::kCounter,
                               "Bytes sent over remoting"};
constexpr MetricSpec kProtocolErrors{"gantry_namesrv_protocol_errors_total", MetricType::kCounter,
                                     "Connections closed because of bytes that are no frame"};

void advance(metrics::Counter& counter, std::uint64_t now) {
  counter.add(static_cast<std::int64_t>(now) - counter.value());
}

}  // namespace

void add_health_checks(http::HealthChecks& health, const NodeState& state, const Clock& clock) {
  using http::CheckResult;
  health.add(http::Probe::kLive, "event-loop", [&]() -> CheckResult {
    const std::int64_t last = state.last_tick_ms;
    if (last == 0 || state.stopping) return {};
    const std::int64_t silent_ms = clock.steady_us() / 1000 - last;
    if (silent_ms < kLoopStallMs) return {};
    return NotReady{.text = "no turn for " + std::to_string(silent_ms) + " ms",
                    .reason = reason::kEventLoopHangs};
  });
  const auto listening = [&]() -> CheckResult {
    if (state.stopping) return NotReady{.text = "stopping", .reason = reason::kStopping};
    if (!state.listening) {
      return NotReady{.text = "not listening yet", .reason = reason::kStarting};
    }
    return {};
  };
  health.add(http::Probe::kStartup, "listening", listening);
  health.add(http::Probe::kReady, "listening", listening);
  health.add(http::Probe::kReady, "routes", [&]() -> CheckResult {
    const std::int64_t left_ms = state.ready_at_ms - clock.steady_us() / 1000;
    if (left_ms <= 0) return {};
    return NotReady{
        .text = "waiting for brokers to register for another " + std::to_string(left_ms) + " ms",
        .reason = reason::kStarting};
  });
}

http::Response node_response(const NodeStatus& status) {
  http::Response response;
  nlohmann::json body = {{"kind", "NameServer"},
                         {"version", GANTRY_VERSION},
                         {"remotingPort", status.remoting_port},
                         {"httpPort", status.http_port}};
  if (status.answered) {
    body["uptimeMillis"] = status.uptime_ms;
    body["connections"] = status.connections;
    body["topics"] = status.routes.topics;
    body["clusters"] = status.routes.clusters;
    body["brokerSets"] = status.routes.broker_sets;
    body["brokers"] = status.routes.registrations;
  } else {
    response.status = 503;
    body["error"] = "the event loop did not answer in time";
  }
  response.body = body.dump() + "\n";
  return response;
}

TrafficMetrics::TrafficMetrics(metrics::Registry& registry)
    : accepted_(registry.counter(kAccepted)),
      rejected_(registry.counter(kRejected)),
      frames_in_(registry.counter(kFramesIn)),
      bytes_in_(registry.counter(kBytesIn)),
      bytes_out_(registry.counter(kBytesOut)),
      protocol_errors_(registry.counter(kProtocolErrors)) {}

void TrafficMetrics::publish(const net::RemotingServerStats& stats) {
  advance(*accepted_, stats.accepted);
  advance(*rejected_, stats.rejected);
  advance(*frames_in_, stats.frames_in);
  advance(*bytes_in_, stats.bytes_in);
  advance(*bytes_out_, stats.bytes_out);
  advance(*protocol_errors_, stats.protocol_errors);
}

}  // namespace gantry::namesrv
