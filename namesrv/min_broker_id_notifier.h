// SPDX-License-Identifier: Apache-2.0
// Tells brokers that the smallest broker id of their set changed (905, one-way), so that slaves can
// act for a master that went away. Brokers are dialled at the address they registered. Belongs to
// the NameServer's shard.
#pragma once

#include "namesrv/route/route_table.h"
#include "net/remoting_client.h"
#include "protocol/command.h"

namespace gantry::namesrv {

protocol::Command min_broker_id_request(const MinBrokerIdChange& change);

class MinBrokerIdNotifier {
 public:
  explicit MinBrokerIdNotifier(runtime::Shard& shard) : client_(shard, nullptr) {}

  // Nobody waits for it: a broker that cannot be reached asks for its group (901) itself.
  void tell(const MinBrokerIdChange& change);

 private:
  net::RemotingClient client_;
};

}  // namespace gantry::namesrv
