// SPDX-License-Identifier: Apache-2.0
// What the brokers together know about consumer groups.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"
#include "protocol/client_connection.h"
#include "protocol/consume_stats.h"
#include "protocol/subscription_group_config.h"

namespace gantry::cli {

struct GroupInfo {
  protocol::SubscriptionGroupConfig config;  // of the first broker that knows the group
  std::vector<BrokerNode> brokers;           // masters that know it
};
using GroupMap = std::map<std::string, GroupInfo, std::less<>>;

std::expected<GroupMap, Failure> collect_groups(Context& context,
                                                const std::vector<BrokerNode>& masters);
std::expected<GroupInfo, Failure> find_group(Context& context, std::string_view group);
// Groups that every broker has for itself.
bool is_system_group(std::string_view group);

struct GroupMembers {
  std::vector<protocol::ClientConnection> members;  // each client once
  std::map<std::string, protocol::SubscriptionData, std::less<>> subscriptions;
  std::optional<protocol::ConsumeType> type;
  std::optional<protocol::MessageModel> model;
};
std::expected<GroupMembers, Failure> collect_members(Context& context, const std::string& group,
                                                     const std::vector<BrokerNode>& masters);

// Offsets of all queues of the group, or of one topic when it is not empty.
std::expected<protocol::ConsumeStats, Failure> collect_stats(
    Context& context, const std::string& group, const std::string& topic,
    const std::vector<BrokerNode>& masters);
std::int64_t lag(const protocol::OffsetWrapper& offsets);
std::int64_t total_lag(const protocol::ConsumeStats& stats);

}  // namespace gantry::cli
