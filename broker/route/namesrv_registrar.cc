// SPDX-License-Identifier: Apache-2.0
#include "broker/route/namesrv_registrar.h"

#include <fmt/core.h>

#include <algorithm>

#include "log/log.h"
#include "protocol/register_broker.h"

namespace gantry::broker {
namespace {

log::Logger logger("registrar");
constexpr std::chrono::milliseconds kUnregisterTimeout{1000};
constexpr std::chrono::milliseconds kRetryPeriod{2000};

}  // namespace

NamesrvRegistrar::NamesrvRegistrar(BrokerContext& context)
    : TurnHook(Phase::kCommit), context_(context), client_(context.shard, nullptr) {
  for (const std::string& address : context.config.namesrv_addr) namesrvs_[address] = {};
  context_.storage.add_state_listener(*this);
}

NamesrvRegistrar::~NamesrvRegistrar() {
  *alive_ = false;
  context_.shard.unschedule(*this);
  context_.storage.state().remove_listener(this);
}

void NamesrvRegistrar::start() {
  running_ = true;
  register_all();
  const std::int64_t period =
      std::clamp<std::int64_t>(context_.config.register_name_server_period_ms, 10000, 60000);
  timer_ = context_.shard.every(std::chrono::milliseconds(period), [this] { register_all(); });
  // A NameServer that was away learns of us soon after it is back.
  retry_timer_ = context_.shard.every(kRetryPeriod, [this] {
    if (!broker_id()) return;
    for (auto& [address, namesrv] : namesrvs_) {
      if (!namesrv.registered && namesrv.in_flight == 0) send_registration(address, {});
    }
  });
}

void NamesrvRegistrar::on_role_changed() {
  if (!running_) return;
  const auto id = broker_id();
  const Term term = context_.storage.replica().core().term();
  if (id == registered_id_ && term == registered_term_) return;
  registered_id_ = id;
  registered_term_ = term;
  all_changed_ = true;
  context_.shard.schedule(*this);
}

std::optional<std::int64_t> NamesrvRegistrar::broker_id() const {
  const replog::Replica& replica = context_.storage.replica();
  if (replica.leading()) return 0;
  const raft::Core& core = replica.core();
  const raft::Member* self = core.membership().find(core.self());
  if (self == nullptr || core.leading()) return std::nullopt;  // about to lead, or no member
  if (core.membership().voter_count() == 1 && self->voter) return std::nullopt;
  return self->number;
}

// The leader's advertised address follows the leader; any other member is reached as itself.
std::string NamesrvRegistrar::address() const {
  const std::string& leader = context_.config.leader_advertised_address;
  return leader.empty() || broker_id() != 0 ? context_.address : leader;
}

void NamesrvRegistrar::register_all() {
  if (!broker_id()) return;
  for (auto& [address, namesrv] : namesrvs_) send_registration(address, {});
}

void NamesrvRegistrar::on_topics_changed(std::span<const std::string> names) {
  if (!running_) return;
  for (const std::string& name : names) changed_.insert(name);
  context_.shard.schedule(*this);
}

void NamesrvRegistrar::on_reload() {
  if (!running_) return;
  all_changed_ = true;
  context_.shard.schedule(*this);
}

void NamesrvRegistrar::on_turn_end() {
  const std::set<std::string> changed = std::exchange(changed_, {});
  const bool deleted = std::ranges::any_of(changed, [this](const std::string& name) {
    return context_.storage.state().topics().find(name) == nullptr;
  });
  const bool all = std::exchange(all_changed_, false) || deleted;
  if (!broker_id()) return;
  for (auto& [address, namesrv] : namesrvs_) {
    send_registration(address, all || !namesrv.registered ? std::set<std::string>{} : changed);
  }
}

protocol::Command NamesrvRegistrar::make_request(const std::set<std::string>& topics) const {
  const config::BrokerConfig& c = context_.config;
  protocol::RegisterBrokerHeader header;
  header.broker_name = c.broker_name;
  header.broker_addr = address();
  header.cluster_name = c.broker_cluster_name;
  header.ha_server_addr = fmt::format("{}:{}", c.broker_ip2, c.raft_listen_port);
  header.broker_id = broker_id().value_or(0);
  protocol::RegisterBrokerBody body;
  const state::TopicTable& table = context_.storage.state().topics();
  body.topic_configs.data_version = table.data_version();
  // A leader of an earlier term must not take the route back.
  body.topic_configs.data_version.state_version = context_.storage.replica().core().term().v;
  const auto add = [&](const protocol::TopicConfig& topic) {
    protocol::TopicConfig masked = topic;
    // The broker's own permission limits every topic's, as clients see it in routes.
    if ((c.broker_permission & (protocol::kPermRead | protocol::kPermWrite)) !=
        (protocol::kPermRead | protocol::kPermWrite)) {
      masked.perm = topic.perm & c.broker_permission;
    }
    body.topic_configs.topics.emplace(masked.topic_name, std::move(masked));
  };
  if (topics.empty()) {
    for (const protocol::TopicConfig* topic : table.all()) add(*topic);
  } else {
    for (const std::string& name : topics) {
      if (const protocol::TopicConfig* topic = table.find(name)) add(*topic);
    }
  }
  auto request = protocol::make_register_broker_request(header, body, false);
  if (!request) {
    logger.error("encoding the registration failed: {}", request.error().message);
    return protocol::Command::request(
        static_cast<std::int32_t>(protocol::RequestCode::kRegisterBroker));
  }
  return std::move(*request);
}

void NamesrvRegistrar::send_registration(const std::string& address,
                                         const std::set<std::string>& topics) {
  const bool full = topics.empty();
  ++namesrvs_[address].in_flight;
  client_.call(address, make_request(topics),
               std::chrono::milliseconds(context_.config.register_broker_timeout_ms),
               [this, alive = alive_, address, full](Result<protocol::Command> reply) {
                 if (!*alive) return;
                 Namesrv& namesrv = namesrvs_[address];
                 --namesrv.in_flight;
                 std::string error;
                 if (!reply) {
                   error = reply.error().message;
                 } else if (reply->code != 0) {
                   error = fmt::format("answer {} {}", reply->code, reply->remark.value_or(""));
                 }
                 if (!error.empty()) {
                   // One line a change of state, not one a try.
                   if (!namesrv.warned) logger.warn("registering at {} failed: {}", address, error);
                   namesrv.warned = true;
                   namesrv.registered = false;
                   namesrv.last_error = error;
                   return;
                 }
                 if (full && !namesrv.registered) logger.info("registered at {}", address);
                 namesrv.registered = namesrv.registered || full;
                 namesrv.warned = false;
                 namesrv.last_error.clear();
                 namesrv.last_success_ms = context_.clock.wall_ms();
               });
}

void NamesrvRegistrar::unregister(std::move_only_function<void()> done) {
  running_ = false;
  timer_.reset();
  retry_timer_.reset();
  if (namesrvs_.empty()) return done();
  auto left = std::make_shared<std::size_t>(namesrvs_.size());
  auto shared_done = std::make_shared<std::move_only_function<void()>>(std::move(done));
  const config::BrokerConfig& c = context_.config;
  for (const auto& [address, namesrv] : namesrvs_) {
    client_.call(address,
                 protocol::Command::request(
                     static_cast<std::int32_t>(protocol::RequestCode::kUnregisterBroker))
                     .with("brokerName", c.broker_name)
                     .with("brokerAddr", this->address())
                     .with("clusterName", c.broker_cluster_name)
                     .with("brokerId", broker_id().value_or(0)),
                 kUnregisterTimeout, [left, shared_done](const Result<protocol::Command>&) {
                   if (--*left == 0) (*shared_done)();
                 });
  }
}

std::vector<NamesrvRegistrar::Status> NamesrvRegistrar::status() const {
  std::vector<Status> result;
  for (const auto& [address, namesrv] : namesrvs_) {
    result.push_back({address, namesrv.registered, namesrv.last_success_ms, namesrv.last_error});
  }
  return result;
}

}  // namespace gantry::broker
