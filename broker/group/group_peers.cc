// SPDX-License-Identifier: Apache-2.0
#include "broker/group/group_peers.h"

#include <fmt/core.h>

#include "log/log.h"

namespace gantry::broker {
namespace {
log::Logger logger("group");
}

GroupPeers::GroupPeers(runtime::Shard& shard, Storage& storage, const config::BrokerConfig& config)
    : shard_(shard),
      storage_(storage),
      config_(config),
      transport_(shard, {[this](raft::Message message, std::string_view body) {
                           storage_.replica().receive(std::move(message), body);
                         },
                         [this] { peers_changed(); }}) {
  storage_.add_role_observer(*this);
}

GroupPeers::~GroupPeers() { storage_.remove_role_observer(*this); }

Result<void> GroupPeers::listen(const std::string& client_address) {
  GANTRY_TRY(peer::check_initial_members(config_.raft_initial_members));
  client_address_ = client_address;
  const auto port =
      transport_.listen(config_.bind_address, static_cast<std::uint16_t>(config_.raft_listen_port));
  if (!port) return std::unexpected(port.error());
  return {};
}

void GroupPeers::start() {
  started_ = true;
  peer::Hello hello;
  hello.cluster = config_.broker_cluster_name;
  hello.broker_name = config_.broker_name;
  hello.member_uuid = storage_.log().member_uuid();
  hello.address = config_.raft_advertised_address;
  hello.client_address = client_address_;
  hello.file_bytes = storage_.log().file_bytes();
  hello.feature_level = static_cast<std::uint32_t>(storage_.state().supported_level());
  hello.start = static_cast<std::uint64_t>(storage_.log().hard_state().state().starts);
  transport_.start(std::move(hello));
  known_ = storage_.replica().core().membership();
  transport_.set_members(known_);
  if (storage_.replica().formed()) return;
  transport_.set_seeds(config_.raft_initial_members);
  formation_ =
      std::make_unique<peer::Formation>(config_.raft_initial_members, storage_.log().member_uuid(),
                                        // Not from inside the transport's callback.
                                        [this](const raft::Membership& membership) {
                                          shard_.post([this, membership] { formed(membership); });
                                        });
  peers_changed();
}

void GroupPeers::formed(const raft::Membership& membership) {
  if (storage_.replica().formed()) return;  // a leader was faster
  if (const auto done = storage_.replica().form(membership); !done) {
    logger.error("the broker set cannot be formed: {}", done.error().message);
  }
}

void GroupPeers::peers_changed() {
  if (formation_ && !storage_.replica().formed()) formation_->update(transport_);
}

void GroupPeers::on_group_changed() {
  if (!started_) return;
  const raft::Membership& membership = storage_.replica().core().membership();
  if (membership == known_) return;
  known_ = membership;
  transport_.set_members(known_);
}

std::string GroupPeers::leader_client_address() const {
  const std::string& leader = storage_.replica().core().leader();
  for (const peer::Peer& peer : transport_.peers()) {
    if (peer.hello.member_uuid == leader) return peer.hello.client_address;
  }
  return {};
}

std::string GroupPeers::waiting_for() const {
  if (!started_ || storage_.replica().formed() || !formation_) return {};
  return formation_->waiting_for();
}

}  // namespace gantry::broker
