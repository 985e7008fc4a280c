// SPDX-License-Identifier: Apache-2.0
// This member among the others of its broker set: the transport between them, the forming of the
// set from empty stores, and where clients reach each member. Log shard only.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "broker/core/storage.h"
#include "config/broker_config.h"
#include "peer/formation.h"
#include "peer/tcp_transport.h"
#include "runtime/shard.h"

namespace gantry::broker {

class GroupPeers final : private RoleObserver {
 public:
  GroupPeers(runtime::Shard& shard, Storage& storage, const config::BrokerConfig& config);
  ~GroupPeers() override;

  // Listens. `client_address`: where this member serves clients, told to the others.
  Result<void> listen(const std::string& client_address);
  // The storage has been started: connects, and forms the set if there is none yet.
  void start();

  replog::PeerTransport& transport() { return transport_; }
  // Where clients reach the leader, if it is another member and connected; else empty.
  std::string leader_client_address() const;
  // What forming the set waits for; empty: it is formed, or this member has joined one.
  std::string waiting_for() const;

 private:
  void on_group_changed() override;
  void peers_changed();
  void formed(const raft::Membership& membership);

  runtime::Shard& shard_;
  Storage& storage_;
  const config::BrokerConfig& config_;
  peer::TcpTransport transport_;
  std::string client_address_;
  std::unique_ptr<peer::Formation> formation_;
  raft::Membership known_;  // what the transport was told
  bool started_ = false;
};

}  // namespace gantry::broker
