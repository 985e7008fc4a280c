// SPDX-License-Identifier: Apache-2.0
#include "broker/core/stats.h"

#include <algorithm>
#include <utility>

namespace gantry::broker {

void BrokerStats::count_put(std::string_view name, MessageType type, std::uint64_t record_bytes,
                            std::uint64_t body_bytes) {
  TopicStats& stats = topic(name);
  const auto t = static_cast<std::size_t>(type);
  ++stats.put_messages;
  stats.put_bytes += record_bytes;
  ++stats.put_by_type[t];
  const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(kSizeBounds, body_bytes) -
                                               kSizeBounds.begin());
  ++stats.size_buckets[t][bucket];
  stats.size_sum[t] += body_bytes;
  ++put_messages;
  put_bytes += record_bytes;
}

void BrokerStats::count_put_latency(std::int64_t ms, std::uint64_t messages) {
  const auto bucket =
      static_cast<std::size_t>(std::ranges::lower_bound(kPutBounds, ms) - kPutBounds.begin());
  put_latency[bucket] += messages;
  put_entire_time_max_ms = std::max(put_entire_time_max_ms, ms);
}

std::optional<StatName> stat_name(std::string_view text) {
  static constexpr std::pair<std::string_view, StatName> kNames[] = {
      {"TOPIC_PUT_NUMS", StatName::kTopicPutNums},
      {"TOPIC_PUT_SIZE", StatName::kTopicPutSize},
      {"GROUP_GET_NUMS", StatName::kGroupGetNums},
      {"GROUP_GET_SIZE", StatName::kGroupGetSize},
      {"SNDBCK_PUT_NUMS", StatName::kSendBackPutNums},
      {"BROKER_PUT_NUMS", StatName::kBrokerPutNums},
      {"BROKER_GET_NUMS", StatName::kBrokerGetNums}};
  for (const auto& [name, value] : kNames) {
    if (name == text) return value;
  }
  return std::nullopt;
}

const StatsItem& BrokerStats::item(StatName name, std::string_view key) const {
  static const StatsItem kNever;
  const auto it = items(name).find(key);
  return it == items(name).end() ? kNever : it->second;
}

void BrokerStats::sample(std::int64_t now_ms, std::string_view cluster) {
  const auto put = [&](StatName name, std::string_view key, std::uint64_t value,
                       std::uint64_t times) {
    mutable_item(name, key).sample(now_ms, static_cast<std::int64_t>(value),
                                   static_cast<std::int64_t>(times));
  };
  for (const auto& [name, t] : topics_) {
    put(StatName::kTopicPutNums, name, t.put_messages, t.put_messages);
    put(StatName::kTopicPutSize, name, t.put_bytes, t.put_messages);
  }
  for (const auto& [name, g] : groups_) {
    put(StatName::kGroupGetNums, name, g.get_messages, g.get_rpcs);
    put(StatName::kGroupGetSize, name, g.get_bytes, g.get_rpcs);
    put(StatName::kSendBackPutNums, name, g.send_back_messages, g.send_back_messages);
  }
  put(StatName::kBrokerPutNums, cluster, put_messages, put_messages);
  put(StatName::kBrokerGetNums, cluster, get_messages, get_found);
  const auto total = [&](StatsItem& item, std::uint64_t value) {
    item.sample(now_ms, static_cast<std::int64_t>(value), static_cast<std::int64_t>(value));
  };
  total(puts_, put_messages);
  total(found_, get_found);
  total(missed_, get_miss);
  total(transferred_, get_messages);

  const std::int64_t day_number = now_ms / (24LL * 3600 * 1000);
  if (day_number != day_number_) {
    if (day_number_ >= 0) {
      day_.put_yesterday_morning = day_.put_today_morning;
      day_.get_yesterday_morning = day_.get_today_morning;
      day_.put_today_morning = put_messages;
      day_.get_today_morning = get_messages;
    }
    day_number_ = day_number;
  }
}

}  // namespace gantry::broker
