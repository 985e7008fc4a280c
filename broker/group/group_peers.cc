// SPDX-License-Identifier: Apache-2.0
#include "broker/group/group_peers.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <chrono>
#include <random>
#include <set>
#include <utility>

#include "log/log.h"
#include "net/connection.h"

namespace gantry::broker {
namespace {
log::Logger logger("group");
constexpr std::chrono::seconds kInvitedFor{60};
}  // namespace

GroupPeers::GroupPeers(runtime::Shard& shard, Storage& storage, const config::BrokerConfig& config,
                       Clock& clock)
    : shard_(shard),
      storage_(storage),
      config_(config),
      transport_(shard,
                 {[this](raft::Message message, std::string_view body) {
                    storage_.replica().receive(std::move(message), body);
                  },
                  [this] { peers_changed(); },
                  // Not from inside the transport's callback.
                  [this](const raft::Membership& newer) {
                    shard_.post([this, newer, alive = alive_] {
                      if (*alive) given_up(newer);
                    });
                  }},
                 {}, clock) {
  storage_.add_role_observer(*this);
}

GroupPeers::~GroupPeers() {
  *alive_ = false;
  storage_.remove_role_observer(*this);
}

Result<void> GroupPeers::listen(const std::string& client_address, std::uint16_t http_port) {
  const bool alone = config_.raft_initial_members.empty() && storage_.alone();
  if (!config_.raft_initial_members.empty()) {
    GANTRY_TRY(peer::check_initial_members(config_.raft_initial_members));
  }
  auto port =
      transport_.listen(config_.bind_address, static_cast<std::uint16_t>(config_.raft_listen_port));
  if (!port) {
    if (!alone) return std::unexpected(port.error());
    logger.warn("no member can join this broker set of one: raftListenPort: {}",
                port.error().message);
    port = static_cast<std::uint16_t>(config_.raft_listen_port);
  }
  client_address_ = client_address;
  raft_address_ = config_.raft_advertised_address.empty()
                      ? fmt::format("{}:{}", config_.broker_ip1, *port)
                      : config_.raft_advertised_address;
  const auto host = net::parse_host_port(raft_address_);
  if (!host) return std::unexpected(host.error());
  http_address_ = net::HostPort{host->host, http_port}.text();
  return {};
}

void GroupPeers::start() {
  started_ = true;
  peer::Hello hello;
  hello.cluster = config_.broker_cluster_name;
  hello.broker_name = config_.broker_name;
  hello.member_uuid = storage_.log().member_uuid();
  hello.address = raft_address_;
  hello.client_address = client_address_;
  hello.http_address = http_address_;
  hello.file_bytes = storage_.log().file_bytes();
  hello.feature_level = static_cast<std::uint32_t>(storage_.state().supported_level());
  hello.log_end = storage_.log().end().v;
  hello.process = (std::uint64_t{std::random_device{}()} << 32) | std::random_device{}();
  hello.start = static_cast<std::uint64_t>(storage_.log().hard_state().state().starts);
  transport_.start(std::move(hello));
  known_ = storage_.replica().core().membership();
  transport_.set_members(known_, storage_.replica().core().given_up());
  if (storage_.replica().core().given_up()) log_given_up(known_);
  if (storage_.replica().formed()) return;
  update_seeds();
  if (storage_.log().end().v > 0) return;  // it is joining: only empty stores form a set
  formation_ =
      std::make_unique<peer::Formation>(config_.raft_initial_members, storage_.log().member_uuid(),
                                        // Not from inside the transport's callback.
                                        [this](const raft::Membership& membership) {
                                          shard_.post([this, membership] { formed(membership); });
                                        });
  peers_changed();
}

void GroupPeers::update_seeds() {
  std::vector<std::string> seeds;
  if (!storage_.replica().formed()) seeds = config_.raft_initial_members;
  for (const auto& [address, timer] : invited_) seeds.push_back(address);
  transport_.set_seeds(std::move(seeds));
}

void GroupPeers::invite(const std::string& address) {
  std::unique_ptr<runtime::Timer>& timer = invited_[address];
  const bool fresh = timer == nullptr;
  timer = shard_.after(kInvitedFor, [this, address] {
    invited_.erase(address);
    update_seeds();
  });
  if (fresh) update_seeds();
}

void GroupPeers::formed(const raft::Membership& membership) {
  if (storage_.replica().formed()) return;  // a leader was faster
  if (const auto done = storage_.replica().form(membership); !done) {
    logger.error("the broker set cannot be formed: {}", done.error().message);
  }
}

void GroupPeers::given_up(const raft::Membership& newer) {
  if (storage_.replica().give_up(newer)) log_given_up(newer);
}

void GroupPeers::log_given_up(const raft::Membership& newer) const {
  std::vector<std::string> voters;
  for (const raft::Member& member : newer.members) {
    if (member.voter) voters.push_back(fmt::format("{} at {}", member.id, member.address));
  }
  logger.warn(
      "this member was given up: its broker set was recovered without it and does not hold all "
      "that "
      "is here recovery={} voters=\"{}\" end={}; stop this member, keep its store or empty it, and "
      "join an empty one",
      newer.recoveries.back().id, fmt::join(voters, ", "), storage_.log().end().v);
}

void GroupPeers::peers_changed() {
  if (formation_ && !storage_.replica().formed()) formation_->update(transport_);
  if (changed_) changed_();
}

void GroupPeers::on_group_changed() {
  if (!started_) return;
  const raft::Membership& membership = storage_.replica().core().membership();
  if (membership == known_) return;
  known_ = membership;
  transport_.set_members(known_, storage_.replica().core().given_up());
  const std::size_t invited = invited_.size();
  for (const raft::Member& member : known_.members) invited_.erase(member.address);
  if (invited_.size() != invited) update_seeds();
}

std::optional<peer::Hello> GroupPeers::hello_of(const raft::MemberId& uuid) const {
  if (uuid == transport_.self().member_uuid) return transport_.self();
  for (peer::Peer& peer : transport_.peers()) {
    if (peer.hello.member_uuid == uuid) return std::move(peer.hello);
  }
  return std::nullopt;
}

std::optional<peer::Hello> GroupPeers::hello_at(const std::string& address) const {
  if (transport_.own_addresses().contains(address)) return transport_.self();
  for (peer::Peer& peer : transport_.peers()) {
    if (peer.dialled == address || peer.hello.address == address) return std::move(peer.hello);
  }
  return std::nullopt;
}

std::int64_t GroupPeers::clock_ahead_ms(const raft::MemberId& uuid) const {
  for (const peer::Peer& peer : transport_.peers()) {
    if (peer.hello.member_uuid == uuid) return peer.clock_ahead_ms;
  }
  return 0;
}

std::vector<peer::Hello> GroupPeers::strangers() const {
  std::vector<peer::Hello> result;
  std::set<raft::MemberId> seen;
  for (peer::Peer& peer : transport_.peers()) {
    if (known_.find(peer.hello.member_uuid) != nullptr) continue;
    if (seen.insert(peer.hello.member_uuid).second) result.push_back(std::move(peer.hello));
  }
  return result;
}

std::string GroupPeers::problem_at(const std::string& address) const {
  const auto it = transport_.problems().find(address);
  return it == transport_.problems().end() ? std::string() : it->second;
}

std::string GroupPeers::leader_client_address() const {
  const std::string& leader = storage_.replica().core().leader();
  if (leader.empty() || leader == self().member_uuid) return {};
  const auto hello = hello_of(leader);
  return hello ? hello->client_address : std::string();
}

std::string GroupPeers::leader_http_address() const {
  const std::string& leader = storage_.replica().core().leader();
  if (leader.empty() || leader == self().member_uuid) return {};
  const auto hello = hello_of(leader);
  return hello ? hello->http_address : std::string();
}

std::string GroupPeers::waiting_for() const {
  if (!started_ || storage_.replica().formed()) return {};
  if (!formation_) return "this store is not empty and waits for the leader of its broker set";
  return formation_->waiting_for();
}

}  // namespace gantry::broker
