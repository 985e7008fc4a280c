// SPDX-License-Identifier: Apache-2.0
// What each consumer group subscribes to, as committed, so that a member that has not heard of a
// group's clients yet can filter their pulls. It says nothing about who is online. Changed only by
// StateMachine; readers use it on the log shard.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "protocol/consumer_enums.h"
#include "protocol/subscription_data.h"

namespace gantry::state {

struct GroupSubscriptions {
  using Topics = std::map<std::string, protocol::SubscriptionData, std::less<>>;

  protocol::ConsumeType consume_type = protocol::ConsumeType::kPassively;
  protocol::MessageModel message_model = protocol::MessageModel::kClustering;
  Topics topics;

  const protocol::SubscriptionData* find(std::string_view topic) const {
    const auto it = topics.find(topic);
    return it == topics.end() ? nullptr : &it->second;
  }
  bool operator==(const GroupSubscriptions&) const = default;
};

class SubscriptionTable {
 public:
  using Groups = std::map<std::string, GroupSubscriptions, std::less<>>;

  // nullptr: nothing is known of the group. Never without topics. Valid until the next change.
  const GroupSubscriptions* find(std::string_view group) const;
  const Groups& all() const { return groups_; }

 private:
  friend class StateMachine;
  // Replaces all that is known of the group; without topics, forgets it.
  void put(std::string_view group, GroupSubscriptions subscriptions);
  void remove(std::string_view group);
  void clear() { groups_.clear(); }

  Groups groups_;
};

}  // namespace gantry::state
