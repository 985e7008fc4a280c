// SPDX-License-Identifier: Apache-2.0
// The broker's metrics, gathered on the shard at each scrape: RocketMQ 5's families and labels for
// everything there is, plus Gantry's own (`gantry_` prefix). Lag comes from committed offsets, so
// it is there also while no consumer is online.
#pragma once

#include "broker/core/context.h"
#include "broker/core/log_lookup.h"
#include "metrics/metrics.h"

namespace gantry::net {
class RemotingServer;
}

namespace gantry::broker {

class ClientManager;
class GroupPeers;
class LeaderGate;
class StateComparison;
class PullService;
class TransactionEnder;

struct MetricSources {
  BrokerContext& context;
  const net::RemotingServer& server;
  const PullService& pulls;
  const ClientManager& clients;
  const GroupPeers& peers;
  const LeaderGate& gate;
  const StateComparison& comparison;
  const TransactionEnder& transactions;
};

// Shard only. A pass of look_up(): what `sink` got means nothing until `lookup` is complete.
void collect_metrics(const MetricSources& sources, LogLookup& lookup, metrics::Sink& sink);

}  // namespace gantry::broker
