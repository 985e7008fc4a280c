// SPDX-License-Identifier: Apache-2.0
// The broker's metrics, gathered on the shard at each scrape: RocketMQ 5's families and labels for
// everything there is, plus Gantry's own (`gantry_` prefix). Lag comes from committed offsets, so
// it is there also while no consumer is online.
#pragma once

#include "broker/core/context.h"
#include "metrics/metrics.h"

namespace gantry::net {
class RemotingServer;
}

namespace gantry::broker {

class ClientManager;
class PullService;

struct MetricSources {
  BrokerContext& context;
  const net::RemotingServer& server;
  const PullService& pulls;
  const ClientManager& clients;
};

// Shard only.
void collect_metrics(const MetricSources& sources, metrics::Sink& sink);

}  // namespace gantry::broker
