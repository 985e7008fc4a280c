// SPDX-License-Identifier: Apache-2.0
// What a NameServer says about itself over HTTP: probes, /v1/node, traffic counters.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "http/health.h"
#include "http/http_server.h"
#include "metrics/metrics.h"
#include "namesrv/route/route_table.h"
#include "net/remoting_server.h"

namespace gantry::namesrv {

// Written by the app and its shard, read by HTTP threads.
struct NodeState {
  std::atomic<bool> listening = false;
  std::atomic<bool> stopping = false;
  std::atomic<std::int64_t> last_tick_ms = 0;  // steady; 0 before the loop runs
  std::atomic<std::int64_t> ready_at_ms = 0;   // steady; needWaitForService
};

// livez: the event loop turns. startupz: it listens. readyz: it listens, is not stopping, and has
// waited for brokers as long as waitSecondsForService says (with needWaitForService).
// `state` and `clock` must outlive `health`.
void add_health_checks(http::HealthChecks& health, const NodeState& state, const Clock& clock);

struct NodeStatus {
  bool answered = false;  // false: the event loop did not answer in time
  std::uint16_t remoting_port = 0;
  std::uint16_t http_port = 0;
  std::int64_t uptime_ms = 0;
  std::size_t connections = 0;
  RouteTableStats routes;
};

// GET /v1/node; 503 when the event loop did not answer.
http::Response node_response(const NodeStatus& status);

// Counters of the remoting server. Belongs to the shard.
class TrafficMetrics {
 public:
  explicit TrafficMetrics(metrics::Registry& registry);
  void publish(const net::RemotingServerStats& stats);

 private:
  std::shared_ptr<metrics::Counter> accepted_, rejected_, frames_in_, bytes_in_, bytes_out_,
      protocol_errors_;
};

}  // namespace gantry::namesrv
