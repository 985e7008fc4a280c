// SPDX-License-Identifier: Apache-2.0
// This member among the others of its broker set: the transport between them, the forming of the
// set from empty stores, and where each member serves clients and HTTP. A broker set of one has it
// too: others may join. Log shard only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "broker/core/storage.h"
#include "config/broker_config.h"
#include "peer/formation.h"
#include "peer/tcp_transport.h"
#include "runtime/shard.h"

namespace gantry::broker {

class GroupPeers final : private RoleObserver {
 public:
  GroupPeers(runtime::Shard& shard, Storage& storage, const config::BrokerConfig& config,
             Clock& clock);
  ~GroupPeers() override;

  // Listens. `client_address`: where this member serves clients, told to the others, as is the
  // port of its HTTP. A broker set of one serves also when the port cannot be had, with a warning.
  Result<void> listen(const std::string& client_address, std::uint16_t http_port);
  // The storage has been started: connects, and forms the set if there is none yet.
  void start();

  replog::PeerTransport& transport() { return transport_; }
  const peer::Hello& self() const { return transport_.self(); }
  // What a connected member, or one that wants to be, says of itself.
  std::optional<peer::Hello> hello_of(const raft::MemberId& uuid) const;
  std::optional<peer::Hello> hello_at(const std::string& address) const;
  // How far the clock of a connected member was ahead of this one's when it connected.
  std::int64_t clock_ahead_ms(const raft::MemberId& uuid) const;
  // Called when a connection came or went.
  void on_peers_changed(std::function<void()> callback) { changed_ = std::move(callback); }
  // Connected, but not members.
  std::vector<peer::Hello> strangers() const;
  // Dials `address` for a minute, so that who serves there can be joined.
  void invite(const std::string& address);
  // Why a dialled address is no peer, as far as known; empty: nothing is known.
  std::string problem_at(const std::string& address) const;
  peer::TransportStats stats() const { return transport_.stats(); }

  // Where the leader serves clients / HTTP, if it is another member and connected; else empty.
  std::string leader_client_address() const;
  std::string leader_http_address() const;
  // What forming the set waits for; empty: it is formed, or this member has joined one.
  std::string waiting_for() const;

 private:
  void on_group_changed() override;
  void peers_changed();
  void formed(const raft::Membership& membership);
  void update_seeds();
  void given_up(const raft::Membership& newer);
  void log_given_up(const raft::Membership& newer) const;

  runtime::Shard& shard_;
  Storage& storage_;
  const config::BrokerConfig& config_;
  peer::TcpTransport transport_;
  std::string client_address_, http_address_, raft_address_;
  std::map<std::string, std::unique_ptr<runtime::Timer>> invited_;  // addresses, until when
  std::unique_ptr<peer::Formation> formation_;
  raft::Membership known_;  // what the transport was told
  bool started_ = false;
  std::function<void()> changed_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::broker
