// SPDX-License-Identifier: Apache-2.0
// Who is connected: producers and consumers by group, as their heartbeats say, and what consumers
// subscribe to. In memory, rebuilt by reconnecting clients; what groups subscribe to is replicated
// as well (SubscriptionKeeper). Tells a group's consumers to rebalance when it changes. Log shard
// only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_hash.h"
#include "broker/client/subscription_keeper.h"
#include "broker/core/context.h"
#include "protocol/client_connection.h"
#include "protocol/heartbeat.h"

namespace gantry::broker {

struct ClientChannel {
  net::ConnectionId connection = 0;
  std::string client_id;
  protocol::Language language = protocol::Language::kUnknown;
  std::int32_t version = 0;
  std::string address;  // "ip:port"
  std::int64_t last_heartbeat_ms = 0;
};

struct Subscription {
  protocol::SubscriptionData data;
  std::int64_t last_seen_ms = 0;
};

struct ConsumerGroup {
  protocol::ConsumeType consume_type = protocol::ConsumeType::kPassively;
  protocol::MessageModel message_model = protocol::MessageModel::kClustering;
  protocol::ConsumeFromWhere consume_from_where = protocol::ConsumeFromWhere::kLastOffset;
  std::map<net::ConnectionId, ClientChannel> channels;
  std::map<std::string, Subscription, std::less<>> subscriptions;  // by topic
  std::int32_t fingerprint = 0;

  const protocol::SubscriptionData* subscription(std::string_view topic) const {
    const auto it = subscriptions.find(topic);
    return it == subscriptions.end() ? nullptr : &it->second.data;
  }
  const ClientChannel* channel_of(std::string_view client_id) const;
  std::vector<std::string> client_ids() const;  // each once, sorted
};

struct ProducerGroup {
  std::map<net::ConnectionId, ClientChannel> channels;
};

class ClientManager final : private RoleObserver {
 public:
  explicit ClientManager(BrokerContext& context);
  ~ClientManager() override;

  void register_handlers(Dispatcher& dispatcher);  // 34, 35, 38
  void on_connection_closed(net::ConnectionId connection);

  // Null: no such group is online. Valid until the next heartbeat or close.
  const ConsumerGroup* consumers(std::string_view group) const;
  const ProducerGroup* producers(std::string_view group) const;
  const std::map<std::string, ConsumerGroup, std::less<>>& all_consumers() const {
    return consumers_;
  }
  const std::map<std::string, ProducerGroup, std::less<>>& all_producers() const {
    return producers_;
  }
  // Groups with a live subscription of `topic`, sorted.
  std::vector<std::string> groups_subscribing(std::string_view topic) const;

 private:
  // Made when first asked for: the proposals are there once the storage has started.
  SubscriptionKeeper& keeper();
  void on_leading(Term term) override;
  void on_following() override;
  void on_heartbeat(net::Connection& connection, const protocol::CommandView& request);
  void on_unregister(net::Connection& connection, const protocol::CommandView& request);
  void on_consumer_list(net::Connection& connection, const protocol::CommandView& request);
  // True when the group's members or topics changed.
  bool register_consumer(const ClientChannel& channel, const protocol::ConsumerData& data,
                         const protocol::HeartbeatData& heartbeat);
  bool update_subscriptions(ConsumerGroup& group, const protocol::ConsumerData& data,
                            std::int64_t now_ms);
  void remove_consumer(const std::string& group, net::ConnectionId connection);
  void notify_group(std::string_view group);
  void expire();
  ClientChannel channel_for(const net::Connection& connection, const protocol::CommandView& request,
                            const std::string& client_id) const;

  BrokerContext& context_;
  std::map<std::string, ConsumerGroup, std::less<>> consumers_;
  std::map<std::string, ProducerGroup, std::less<>> producers_;
  std::unordered_map<net::ConnectionId, std::set<std::string>> consumer_groups_of_;
  std::unordered_map<net::ConnectionId, std::set<std::string>> producer_groups_of_;
  std::unique_ptr<SubscriptionKeeper> keeper_;
  std::unique_ptr<runtime::Timer> expiry_timer_, keeper_timer_;
};

}  // namespace gantry::broker
