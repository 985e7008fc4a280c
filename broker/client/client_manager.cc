// SPDX-License-Identifier: Apache-2.0
#include "broker/client/client_manager.h"

#include <fmt/core.h>

#include <algorithm>

#include "broker/core/groups.h"
#include "broker/send/topic_resolver.h"
#include "log/log.h"
#include "protocol/consumer_list.h"
#include "state/name_rules.h"

namespace gantry::broker {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;
log::Logger logger("clients");
constexpr std::chrono::milliseconds kExpiryPeriod{10000};
constexpr std::chrono::milliseconds kKeeperPeriod{500};

}  // namespace

const ClientChannel* ConsumerGroup::channel_of(std::string_view client_id) const {
  for (const auto& [id, channel] : channels) {
    if (channel.client_id == client_id) return &channel;
  }
  return nullptr;
}

std::vector<std::string> ConsumerGroup::client_ids() const {
  std::set<std::string> ids;
  for (const auto& [id, channel] : channels) ids.insert(channel.client_id);
  return {ids.begin(), ids.end()};
}

ClientManager::ClientManager(BrokerContext& context) : context_(context) {
  context_.storage.add_role_observer(*this);
  expiry_timer_ = context_.shard.every(kExpiryPeriod, [this] { expire(); });
  keeper_timer_ = context_.shard.every(kKeeperPeriod, [this] {
    keeper().write_due([this](const std::string& name) { return consumers(name); });
  });
}

ClientManager::~ClientManager() { context_.storage.remove_role_observer(*this); }

SubscriptionKeeper& ClientManager::keeper() {
  if (!keeper_) {
    Storage& storage = context_.storage;
    keeper_ =
        std::make_unique<SubscriptionKeeper>(storage.state(), storage.proposals(), context_.clock);
  }
  return *keeper_;
}

// Heartbeats reach followers as well: what this one knows better than its predecessor goes on.
void ClientManager::on_leading(Term /*term*/) {
  for (const auto& [name, group] : consumers_) keeper().note(name, group, Heard::kPart);
}

void ClientManager::on_following() { keeper().forget_all(); }

void ClientManager::register_handlers(Dispatcher& dispatcher) {
  const auto bind = [this](auto method) {
    return [this, method](net::Connection& c, const protocol::CommandView& r) {
      (this->*method)(c, r);
    };
  };
  dispatcher.add(RequestCode::kHeartBeat, bind(&ClientManager::on_heartbeat));
  dispatcher.add(RequestCode::kUnregisterClient, bind(&ClientManager::on_unregister));
  dispatcher.add(RequestCode::kGetConsumerListByGroup, bind(&ClientManager::on_consumer_list));
}

const ConsumerGroup* ClientManager::consumers(std::string_view group) const {
  const auto it = consumers_.find(group);
  return it == consumers_.end() ? nullptr : &it->second;
}

const ProducerGroup* ClientManager::producers(std::string_view group) const {
  const auto it = producers_.find(group);
  return it == producers_.end() ? nullptr : &it->second;
}

std::vector<std::string> ClientManager::groups_subscribing(std::string_view topic) const {
  std::vector<std::string> result;
  for (const auto& [name, group] : consumers_) {
    if (group.subscription(topic) != nullptr) result.push_back(name);
  }
  return result;
}

ClientChannel ClientManager::channel_for(const net::Connection& connection,
                                         const protocol::CommandView& request,
                                         const std::string& client_id) const {
  return {connection.id(),          client_id,
          request.language,         request.version,
          connection.peer().text(), context_.clock.wall_ms()};
}

void ClientManager::on_heartbeat(net::Connection& connection,
                                 const protocol::CommandView& request) {
  const auto heartbeat = protocol::HeartbeatData::from_json(request.body);
  if (!heartbeat) {
    return respond(connection, request, ResponseCode::kSystemError, heartbeat.error().message);
  }
  const ClientChannel channel = channel_for(connection, request, heartbeat->client_id);
  bool subscription_changed = heartbeat->heartbeat_fingerprint == 0;
  for (const protocol::ConsumerData& data : heartbeat->consumers) {
    const auto* config = find_or_create_group(context_, data.group_name);
    if (config == nullptr) continue;
    const bool notify = config->notify_consumer_ids_changed_enable;
    TopicResolver topics(context_);
    if (context_.storage.leading()) {
      topics.retry_topic(data.group_name, config->retry_queue_nums, data.unit_mode);
    }
    if (heartbeat->heartbeat_fingerprint != 0) {
      const ConsumerGroup* known = consumers(data.group_name);
      subscription_changed = subscription_changed || known == nullptr ||
                             known->fingerprint != heartbeat->heartbeat_fingerprint;
    }
    const bool changed = register_consumer(channel, data, *heartbeat);
    keeper().note(data.group_name, consumers_[data.group_name],
                  heartbeat->without_sub ? Heard::kPart : Heard::kAll);
    if (changed && notify && context_.config.real_time_notify_consumer_change &&
        data.message_model != protocol::MessageModel::kBroadcasting) {
      notify_group(data.group_name);
    }
  }
  for (const std::string& group : heartbeat->producer_groups) {
    producers_[group].channels[connection.id()] = channel;
    producer_groups_of_[connection.id()].insert(group);
  }
  respond(connection, request,
          protocol::Command::response(0)
              .with("IS_SUPPORT_HEART_BEAT_V2", "true")
              .with("IS_SUB_CHANGE", subscription_changed ? "true" : "false"));
}

bool ClientManager::register_consumer(const ClientChannel& channel,
                                      const protocol::ConsumerData& data,
                                      const protocol::HeartbeatData& heartbeat) {
  ConsumerGroup& group = consumers_[data.group_name];
  group.consume_type = data.consume_type;
  group.message_model = data.message_model;
  group.consume_from_where = data.consume_from_where;
  group.fingerprint = heartbeat.heartbeat_fingerprint;
  const bool new_channel = !group.channels.contains(channel.connection);
  group.channels[channel.connection] = channel;
  consumer_groups_of_[channel.connection].insert(data.group_name);
  if (new_channel) {
    logger.info("consumer joined group={} client={} address={} language={}", data.group_name,
                channel.client_id, channel.address, protocol::language_name(channel.language));
  }
  bool changed = new_channel;
  if (!heartbeat.without_sub) {
    changed = update_subscriptions(group, data, channel.last_heartbeat_ms) || changed;
  }
  return changed;
}

bool ClientManager::update_subscriptions(ConsumerGroup& group, const protocol::ConsumerData& data,
                                         std::int64_t now_ms) {
  bool changed = false;
  std::set<std::string_view> listed;
  for (const protocol::SubscriptionData& subscription : data.subscriptions) {
    listed.insert(subscription.topic);
    const auto it = group.subscriptions.find(subscription.topic);
    if (it == group.subscriptions.end()) {
      group.subscriptions.emplace(subscription.topic, Subscription{subscription, now_ms});
      changed = true;
      continue;
    }
    it->second.last_seen_ms = now_ms;
    if (subscription.sub_version > it->second.data.sub_version) it->second.data = subscription;
  }
  changed = std::erase_if(group.subscriptions,
                          [&](const auto& entry) { return !listed.contains(entry.first); }) > 0 ||
            changed;
  return changed;
}

void ClientManager::on_unregister(net::Connection& connection,
                                  const protocol::CommandView& request) {
  const std::string producer(request.ext.get("producerGroup"));
  const std::string consumer(request.ext.get("consumerGroup"));
  if (!producer.empty()) {
    if (const auto it = producers_.find(producer); it != producers_.end()) {
      it->second.channels.erase(connection.id());
      if (it->second.channels.empty()) producers_.erase(it);
    }
    producer_groups_of_[connection.id()].erase(producer);
  }
  if (!consumer.empty()) {
    consumer_groups_of_[connection.id()].erase(consumer);
    remove_consumer(consumer, connection.id());
  }
  respond(connection, request, ResponseCode::kSuccess);
}

void ClientManager::on_consumer_list(net::Connection& connection,
                                     const protocol::CommandView& request) {
  const std::string_view name = request.ext.get("consumerGroup");
  const ConsumerGroup* group = consumers(name);
  if (group == nullptr || group->channels.empty()) {
    return respond(connection, request, ResponseCode::kSystemError,
                   fmt::format("no consumer for this group, {}", name));
  }
  protocol::ConsumerList list;
  list.consumer_ids = group->client_ids();
  protocol::Command response = protocol::Command::response(0);
  response.body = list.to_json();
  respond(connection, request, std::move(response));
}

void ClientManager::remove_consumer(const std::string& name, net::ConnectionId connection) {
  const auto it = consumers_.find(name);
  if (it == consumers_.end()) return;
  const auto channel = it->second.channels.find(connection);
  if (channel == it->second.channels.end()) return;
  logger.info("consumer left group={} client={}", name, channel->second.client_id);
  it->second.channels.erase(channel);
  const bool broadcasting = it->second.message_model == protocol::MessageModel::kBroadcasting;
  if (it->second.channels.empty()) {
    consumers_.erase(it);
    return;
  }
  const auto* config = context_.storage.proposals().find_group(name);
  if (!broadcasting && config != nullptr && config->notify_consumer_ids_changed_enable &&
      context_.config.real_time_notify_consumer_change) {
    notify_group(name);
  }
}

void ClientManager::notify_group(std::string_view name) {
  const ConsumerGroup* group = consumers(name);
  if (group == nullptr) return;
  for (const auto& [id, channel] : group->channels) {
    net::Connection* connection = context_.connections.find(id);
    if (connection == nullptr) continue;
    connection->send_oneway(protocol::Command::request(
                                static_cast<std::int32_t>(RequestCode::kNotifyConsumerIdsChanged))
                                .with("consumerGroup", std::string(name)));
  }
}

void ClientManager::on_connection_closed(net::ConnectionId connection) {
  if (const auto it = producer_groups_of_.find(connection); it != producer_groups_of_.end()) {
    for (const std::string& group : it->second) {
      const auto entry = producers_.find(group);
      if (entry == producers_.end()) continue;
      entry->second.channels.erase(connection);
      if (entry->second.channels.empty()) producers_.erase(entry);
    }
    producer_groups_of_.erase(it);
  }
  if (const auto it = consumer_groups_of_.find(connection); it != consumer_groups_of_.end()) {
    const std::set<std::string> groups = std::move(it->second);
    consumer_groups_of_.erase(it);
    for (const std::string& group : groups) remove_consumer(group, connection);
  }
}

void ClientManager::expire() {
  const std::int64_t now_ms = context_.clock.wall_ms();
  const std::int64_t channel_limit = now_ms - context_.config.channel_expired_timeout_ms;
  std::set<net::ConnectionId> silent;
  for (const auto& [name, group] : consumers_) {
    for (const auto& [id, channel] : group.channels) {
      if (channel.last_heartbeat_ms < channel_limit) silent.insert(id);
    }
  }
  for (const auto& [name, group] : producers_) {
    for (const auto& [id, channel] : group.channels) {
      if (channel.last_heartbeat_ms < channel_limit) silent.insert(id);
    }
  }
  for (const net::ConnectionId id : silent) {
    if (net::Connection* connection = context_.connections.find(id)) {
      connection->close("no heartbeat within channelExpiredTimeout");
    }
    on_connection_closed(id);
  }
  const std::int64_t limit = now_ms - context_.config.subscription_expired_timeout_ms;
  for (auto& [name, group] : consumers_) {
    std::erase_if(group.subscriptions,
                  [&](const auto& entry) { return entry.second.last_seen_ms < limit; });
  }
}

}  // namespace gantry::broker
