// SPDX-License-Identifier: Apache-2.0
#include "cli/group_data.h"

#include <algorithm>
#include <array>

namespace gantry::cli {

bool is_system_group(std::string_view group) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "TOOLS_CONSUMER",  "FILTERSRV_CONSUMER",    "SELF_TEST_C_GROUP", "CID_ONS-HTTP-PROXY",
      "CID_ONSAPI_PULL", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER"};
  return group.starts_with("CID_RMQ_SYS_") || std::ranges::find(kNames, group) != kNames.end();
}

std::expected<GroupMap, Failure> collect_groups(Context& context,
                                                const std::vector<BrokerNode>& masters) {
  GroupMap groups;
  for (const BrokerNode& node : masters) {
    auto configs = context.broker(node.address).groups();
    if (!configs) return fail(configs.error());
    for (auto& [name, config] : *configs) {
      GroupInfo& group = groups[name];
      if (group.brokers.empty()) group.config = std::move(config);
      group.brokers.push_back(node);
    }
  }
  return groups;
}

std::expected<GroupInfo, Failure> find_group(Context& context, std::string_view group) {
  const auto masters = context.masters();
  if (!masters) return std::unexpected(masters.error());
  auto groups = collect_groups(context, *masters);
  if (!groups) return std::unexpected(groups.error());
  const auto found = groups->find(group);
  if (found == groups->end()) return group_not_found(group);
  return std::move(found->second);
}

std::expected<GroupMembers, Failure> collect_members(Context& context, const std::string& group,
                                                     const std::vector<BrokerNode>& masters) {
  GroupMembers all;
  for (const BrokerNode& node : masters) {
    auto consumers = context.broker(node.address).consumers(group);
    if (!consumers) {
      if (consumers.error().code == ErrorCode::kNotFound) continue;  // nobody is online there
      return fail(consumers.error());
    }
    all.type = consumers->consume_type;
    all.model = consumers->message_model;
    all.subscriptions.merge(consumers->subscription_table);
    for (protocol::ClientConnection& member : consumers->connection_set) {
      if (std::ranges::find(all.members, member.client_id,
                            &protocol::ClientConnection::client_id) == all.members.end()) {
        all.members.push_back(std::move(member));
      }
    }
  }
  std::ranges::sort(all.members, {}, &protocol::ClientConnection::client_id);
  return all;
}

std::expected<protocol::ConsumeStats, Failure> collect_stats(
    Context& context, const std::string& group, const std::string& topic,
    const std::vector<BrokerNode>& masters) {
  protocol::ConsumeStats all;
  for (const BrokerNode& node : masters) {
    auto stats = context.broker(node.address).consume_stats(group, topic);
    if (!stats) {
      if (stats.error().code == ErrorCode::kNotFound) continue;  // this broker has neither
      return fail(stats.error());
    }
    all.offset_table.merge(stats->offset_table);
    all.consume_tps += stats->consume_tps;
  }
  return all;
}

std::int64_t lag(const protocol::OffsetWrapper& offsets) {
  return std::max<std::int64_t>(0, offsets.broker_offset - offsets.consumer_offset);
}

std::int64_t total_lag(const protocol::ConsumeStats& stats) {
  std::int64_t total = 0;
  for (const auto& [queue, offsets] : stats.offset_table) total += lag(offsets);
  return total;
}

}  // namespace gantry::cli
