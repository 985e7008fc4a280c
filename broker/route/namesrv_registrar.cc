// SPDX-License-Identifier: Apache-2.0
#include "broker/route/namesrv_registrar.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "log/log.h"
#include "protocol/register_broker.h"
#include "protocol/route_data.h"

namespace gantry::broker {
namespace {

log::Logger logger("registrar");
constexpr std::chrono::milliseconds kUnregisterTimeout{1000};
constexpr std::chrono::milliseconds kRetryPeriod{2000};
// The next leader registers as soon as it leads; this is for one that is slow.
constexpr std::chrono::milliseconds kStepDownDelay{1000};
// With several NameServers the first of these counts: a wrong name never passes by itself, a server
// that is away may come back.
constexpr std::array kTroubles{reason::kNameServerUnresolvable, reason::kNameServerRefused,
                               reason::kNameServerUnreachable, reason::kRegistrationPending};

}  // namespace

NamesrvRegistrar::NamesrvRegistrar(BrokerContext& context)
    : TurnHook(Phase::kCommit), context_(context), client_(context.shard, nullptr) {
  for (const std::string& address : context.config.namesrv_addr) namesrvs_[address] = {};
  context_.storage.add_state_listener(*this);
  client_.on_lost([this](const std::string& address) { on_lost(address); });
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
      if (!namesrv.registered && !namesrv.in_flight) send_registration(address);
    }
  });
}

void NamesrvRegistrar::on_role_changed() {
  if (!running_) return;
  const auto id = broker_id();
  const Term term = context_.storage.replica().core().term();
  if (id == registered_id_ && term == registered_term_) return;
  if (context_.storage.replica().leading()) {
    step_down_timer_.reset();
  } else if (registered_id_ == 0) {
    step_down();
  }
  registered_id_ = id;
  registered_term_ = term;
  all_changed_ = true;
  context_.shard.schedule(*this);
}

void NamesrvRegistrar::step_down() {
  step_down_timer_ = context_.shard.after(kStepDownDelay, [this] {
    step_down_timer_.reset();
    all_changed_ = true;
    context_.shard.schedule(*this);
  });
}

std::optional<std::int64_t> NamesrvRegistrar::broker_id() const {
  const replog::Replica& replica = context_.storage.replica();
  if (replica.leading()) return 0;
  if (step_down_timer_) return std::nullopt;
  const raft::Core& core = replica.core();
  const raft::Member* self = core.membership().find(core.self());
  if (self == nullptr || core.leading()) return std::nullopt;  // about to lead, or no member
  if (core.membership().voter_count() == 1 && self->voter) return std::nullopt;
  return self->number;
}

// The leader's advertised address follows the leader; any other member is reached as itself.
std::string NamesrvRegistrar::own_address() const {
  const std::string& leader = context_.config.leader_advertised_address;
  return leader.empty() || broker_id() != 0 ? context_.address : leader;
}

void NamesrvRegistrar::register_all() {
  if (!broker_id()) return;
  for (const auto& [address, namesrv] : namesrvs_) send_registration(address);
}

void NamesrvRegistrar::set_addresses(const std::vector<std::string>& addresses) {
  const std::set<std::string> wanted(addresses.begin(), addresses.end());
  std::erase_if(namesrvs_, [&](const auto& entry) { return !wanted.contains(entry.first); });
  for (const std::string& address : wanted) {
    if (namesrvs_.try_emplace(address).second && running_ && broker_id())
      send_registration(address);
  }
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
  std::vector<const protocol::TopicConfig*> topics;
  for (const std::string& name : changed)
    topics.push_back(context_.storage.state().topics().find(name));
  const bool deleted = std::ranges::find(topics, nullptr) != topics.end();
  const bool all = std::exchange(all_changed_, false) || deleted ||
                   !context_.config.enable_single_topic_register;
  if (!broker_id()) return;
  for (const auto& [address, namesrv] : namesrvs_) {
    if (all || !namesrv.registered) {
      send_registration(address);
    } else {
      for (const protocol::TopicConfig* topic : topics) send_topic(address, *topic);
    }
  }
}

std::int32_t NamesrvRegistrar::visible_perm(const protocol::TopicConfig& topic) const {
  constexpr std::int32_t kBoth = protocol::kPermRead | protocol::kPermWrite;
  std::int32_t own = context_.config.broker_permission;
  if (context_.refuses_messages) own &= ~protocol::kPermWrite;
  return (own & kBoth) == kBoth ? topic.perm : topic.perm & own;
}

protocol::Command NamesrvRegistrar::registration() const {
  const config::BrokerConfig& c = context_.config;
  protocol::RegisterBrokerHeader header;
  header.broker_name = c.broker_name;
  header.broker_addr = own_address();
  header.cluster_name = c.broker_cluster_name;
  header.ha_server_addr = fmt::format("{}:{}", c.broker_ip2, c.raft_listen_port);
  header.broker_id = broker_id().value_or(0);
  protocol::RegisterBrokerBody body;
  const state::TopicTable& table = context_.storage.state().topics();
  body.topic_configs.data_version = table.data_version();
  // A leader of an earlier term must not take the route back.
  body.topic_configs.data_version.state_version = context_.storage.replica().core().term().v;
  for (const protocol::TopicConfig* topic : table.all()) {
    protocol::TopicConfig& shown =
        body.topic_configs.topics.emplace(topic->topic_name, *topic).first->second;
    shown.perm = visible_perm(*topic);
  }
  auto request = protocol::make_register_broker_request(header, body, false);
  if (!request) {
    logger.error("encoding the registration failed: {}", request.error().message);
    return protocol::Command::request(
        static_cast<std::int32_t>(protocol::RequestCode::kRegisterBroker));
  }
  return std::move(*request);
}

void NamesrvRegistrar::send_registration(const std::string& address) {
  if (!broker_id()) return;  // the next change of role brings it here again
  Namesrv& namesrv = namesrvs_[address];
  if (namesrv.in_flight) {
    namesrv.again = true;
    return;
  }
  namesrv.in_flight = true;
  namesrv.again = false;
  // Whether or not its answer will come.
  if (broker_id() != 0) namesrv.follower = broker_id();
  client_.call(address, registration(),
               std::chrono::milliseconds(context_.config.register_broker_timeout_ms),
               [this, alive = alive_, address,
                sent = Sent{*broker_id(), own_address()}](const Result<protocol::Command>& reply) {
                 if (*alive) on_registered(address, sent, reply);
               });
}

void NamesrvRegistrar::on_registered(const std::string& address, const Sent& sent,
                                     const Result<protocol::Command>& reply) {
  const auto found = namesrvs_.find(address);
  if (found == namesrvs_.end()) return;  // left out of namesrvAddr meanwhile
  Namesrv& namesrv = found->second;
  std::string error;
  if (!reply) {
    error = reply.error().message;
  } else if (reply->code != 0) {
    error = fmt::format("answer {} {}", reply->code, reply->remark.value_or(""));
  }
  if (!error.empty()) {
    // One line a change of state, not one a try. The retry timer goes on.
    if (!namesrv.warned) logger.warn("registering at {} failed: {}", address, error);
    namesrv.warned = true;
    namesrv.registered = false;
    namesrv.last_error = error;
    namesrv.refused = reply.has_value();
    namesrv.in_flight = false;
    return;
  }
  if (!namesrv.registered) logger.info("registered at {}", address);
  namesrv.registered = true;
  namesrv.warned = false;
  namesrv.last_error.clear();
  namesrv.last_success_ms = context_.clock.wall_ms();
  if (sent.broker_id == 0) {
    const auto number = std::exchange(namesrv.follower, std::nullopt);
    if (number && sent.broker_addr != context_.address) return forget_follower(address, *number);
  }
  on_landed(address);
}

void NamesrvRegistrar::on_lost(const std::string& address) {
  const auto found = namesrvs_.find(address);
  if (found == namesrvs_.end() || !running_) return;
  if (found->second.registered) logger.info("the connection to {} is lost", address);
  found->second.registered = false;
}

void NamesrvRegistrar::on_landed(const std::string& address) {
  const auto found = namesrvs_.find(address);
  if (found == namesrvs_.end()) return;
  found->second.in_flight = false;
  if (found->second.again && running_) send_registration(address);
}

// Its answer does not matter: who misses it forgets the address after brokerNotActiveTimeout. Only
// the order does, which is why no registration is sent before it.
void NamesrvRegistrar::forget_follower(const std::string& address, std::int64_t number) {
  client_.call(address, farewell(context_.address, number), kUnregisterTimeout,
               [this, alive = alive_, address](const Result<protocol::Command>&) {
                 if (*alive) on_landed(address);
               });
}

protocol::Command NamesrvRegistrar::farewell(const std::string& broker_addr,
                                             std::int64_t broker_id) const {
  const config::BrokerConfig& c = context_.config;
  return protocol::Command::request(
             static_cast<std::int32_t>(protocol::RequestCode::kUnregisterBroker))
      .with("brokerName", c.broker_name)
      .with("brokerAddr", broker_addr)
      .with("clusterName", c.broker_cluster_name)
      .with("brokerId", broker_id);
}

// A NameServer that cannot do it, or does not know us any more, gets a registration. One that has
// restarted answers 0 and forgets the topic; the next periodic registration mends that, as in
// RocketMQ.
void NamesrvRegistrar::send_topic(const std::string& address, const protocol::TopicConfig& topic) {
  protocol::TopicRouteData route;
  route.queue_datas.push_back({.broker_name = context_.config.broker_name,
                               .read_queue_nums = topic.read_queue_nums,
                               .write_queue_nums = topic.write_queue_nums,
                               .perm = visible_perm(topic),
                               .topic_sys_flag = topic.topic_sys_flag});
  auto request = protocol::Command::request(
                     static_cast<std::int32_t>(protocol::RequestCode::kRegisterTopicInNamesrv))
                     .with("topic", topic.topic_name);
  request.body = route.to_json();
  client_.call(address, std::move(request),
               std::chrono::milliseconds(context_.config.register_broker_timeout_ms),
               [this, alive = alive_, address](const Result<protocol::Command>& reply) {
                 if (!*alive || !namesrvs_.contains(address) || !running_) return;
                 if (!reply || reply->code != 0) send_registration(address);
               });
}

void NamesrvRegistrar::unregister(std::move_only_function<void()> done) {
  running_ = false;
  timer_.reset();
  retry_timer_.reset();
  if (step_down_timer_) {
    auto later = std::make_shared<std::move_only_function<void()>>(std::move(done));
    step_down_timer_ = context_.shard.after(kStepDownDelay, [this, later] {
      step_down_timer_.reset();
      unregister(std::move(*later));
    });
    return;
  }
  // Who was never registered must not take another member out of the route.
  const auto id = broker_id();
  if (namesrvs_.empty() || !id) return done();
  auto left = std::make_shared<std::size_t>(namesrvs_.size());
  auto shared_done = std::make_shared<std::move_only_function<void()>>(std::move(done));
  for (const auto& [address, namesrv] : namesrvs_) {
    client_.call(address, farewell(own_address(), *id), kUnregisterTimeout,
                 [left, shared_done](const Result<protocol::Command>&) {
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

std::string_view NamesrvRegistrar::trouble_with(const std::string& address,
                                                const Namesrv& namesrv) const {
  if (namesrv.last_error.empty()) return reason::kRegistrationPending;
  if (namesrv.refused) return reason::kNameServerRefused;
  return client_.unresolved(address) ? reason::kNameServerUnresolvable
                                     : reason::kNameServerUnreachable;
}

std::optional<NotReady> NamesrvRegistrar::obstacle() const {
  if (namesrvs_.empty() || !broker_id()) return {};
  std::string tried;
  std::size_t worst = kTroubles.size() - 1;
  for (const auto& [address, namesrv] : namesrvs_) {
    if (namesrv.last_success_ms != 0) return {};
    tried += fmt::format("{}{} ({})", tried.empty() ? "" : ", ", address,
                         namesrv.last_error.empty() ? "no answer yet" : namesrv.last_error);
    const auto rank = std::ranges::find(kTroubles, trouble_with(address, namesrv));
    worst = std::min(worst, static_cast<std::size_t>(rank - kTroubles.begin()));
  }
  return NotReady{.text = "registered at none of the NameServers of namesrvAddr yet: " + tried,
                  .reason = kTroubles.at(worst)};
}

}  // namespace gantry::broker
