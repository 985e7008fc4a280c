// SPDX-License-Identifier: Apache-2.0
// HTTP of a broker: /metrics, health, /v1/node, /v1/leadership and the administration of its broker
// set. Listens from before recovery until after the stop. Handlers run on HTTP threads and reach
// the broker through its shard.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "config/broker_config.h"
#include "runtime/shard.h"

namespace gantry::broker {

struct GroupSources;
struct MetricSources;

enum class BrokerPhase : std::uint8_t { kStarting, kRunning, kStopping };

class BrokerHttp {
 public:
  // `phase` is read from HTTP threads.
  BrokerHttp(const config::BrokerConfig& config, runtime::Shard& shard,
             const std::atomic<BrokerPhase>& phase);
  ~BrokerHttp();

  Result<void> listen();
  std::uint16_t port() const;
  // Shard only: from here on requests see the broker / no longer do.
  void attach(const MetricSources& sources, const GroupSources& group);
  void detach();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::broker
