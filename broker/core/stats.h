// SPDX-License-Identifier: Apache-2.0
// What a broker counts on its hot path: per topic and per (topic, group). Log shard only; metrics,
// code 28 and code 315 read it there.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/string_hash.h"
#include "broker/core/rpc_latency.h"
#include "broker/core/stats_item.h"

namespace gantry::broker {

enum class MessageType : std::uint8_t { kNormal, kDelay, kTransaction, kFifo };

struct TopicStats {
  std::uint64_t put_messages = 0;
  std::uint64_t put_bytes = 0;
  std::array<std::uint64_t, 4> put_by_type{};  // by MessageType
  // Message size histogram: <=1KiB, 4KiB, 512KiB, 1MiB, 2MiB, 4MiB, larger (RocketMQ's buckets).
  std::array<std::array<std::uint64_t, 7>, 4> size_buckets{};  // by MessageType
  std::array<std::uint64_t, 4> size_sum{};
};

struct GroupTopicStats {
  std::uint64_t get_messages = 0;
  std::uint64_t get_bytes = 0;
  std::uint64_t get_rpcs = 0;
  std::uint64_t send_back_messages = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t get_latency_ms_sum = 0;
};

// RocketMQ's names of code 315, as far as something is counted for them.
enum class StatName : std::uint8_t {
  kTopicPutNums,
  kTopicPutSize,
  kGroupGetNums,
  kGroupGetSize,
  kSendBackPutNums,
  kBrokerPutNums,
  kBrokerGetNums,
};
std::optional<StatName> stat_name(std::string_view text);  // "TOPIC_PUT_NUMS", ...

class BrokerStats {
 public:
  static constexpr std::array<std::uint64_t, 6> kSizeBounds = {1 << 10, 4 << 10, 512 << 10,
                                                               1 << 20, 2 << 20, 4 << 20};
  // Put latency buckets of code 28, upper bounds in ms; the last is open.
  static constexpr std::array<std::int64_t, 12> kPutBounds = {0,    10,   50,   100,  200,  500,
                                                              1000, 2000, 3000, 4000, 5000, 10000};

  TopicStats& topic(std::string_view name) {
    if (TopicStats* found = last_topic_.get(name)) return *found;
    entry(topics_, name);
    return *last_topic_.remember(*topics_.find(name));
  }
  // `topic@group`, RocketMQ's key.
  GroupTopicStats& group_topic(std::string_view topic, std::string_view group) {
    key_.assign(topic);
    key_.push_back('@');
    key_.append(group);
    return entry(groups_, key_);
  }
  const StringMap<TopicStats>& topics() const { return topics_; }
  const StringMap<GroupTopicStats>& groups() const { return groups_; }

  void count_put(std::string_view topic, MessageType type, std::uint64_t record_bytes,
                 std::uint64_t body_bytes);
  void count_put_latency(std::int64_t ms, std::uint64_t messages = 1);

  // Call every 10 s; `cluster` is the key of the broker's own items.
  void sample(std::int64_t now_ms, std::string_view cluster);
  // An item that was never sampled has empty windows.
  const StatsItem& item(StatName name, std::string_view key) const;
  bool has_item(StatName name, std::string_view key) const {
    return items(name).find(key) != items(name).end();
  }
  // Totals of the broker, for code 28.
  const StatsItem& puts() const { return puts_; }
  const StatsItem& found() const { return found_; }
  const StatsItem& missed() const { return missed_; }
  const StatsItem& transferred() const { return transferred_; }
  struct Day {
    std::uint64_t put_yesterday_morning = 0, put_today_morning = 0;
    std::uint64_t get_yesterday_morning = 0, get_today_morning = 0;
  };
  const Day& day() const { return day_; }

  std::uint64_t put_messages = 0, put_bytes = 0, put_failed = 0;
  std::uint64_t get_messages = 0, get_bytes = 0, get_found = 0, get_miss = 0;
  std::int64_t put_entire_time_max_ms = 0, get_entire_time_max_ms = 0;
  std::array<std::uint64_t, 13> put_latency{};
  RpcLatency rpc;

 private:
  template <class T>
  static T& entry(StringMap<T>& map, std::string_view key) {
    const auto it = map.find(key);
    return it != map.end() ? it->second : map.emplace(std::string(key), T{}).first->second;
  }
  const StringMap<StatsItem>& items(StatName name) const {
    return items_[static_cast<std::size_t>(name)];
  }
  StatsItem& mutable_item(StatName name, std::string_view key) {
    return entry(items_[static_cast<std::size_t>(name)], key);
  }
  std::array<StringMap<StatsItem>, 7> items_;
  StatsItem puts_, found_, missed_, transferred_;
  Day day_;
  std::int64_t day_number_ = -1;
  StringMap<TopicStats> topics_;
  StringMap<GroupTopicStats> groups_;
  LastFound<TopicStats> last_topic_;
  std::string key_;
};

}  // namespace gantry::broker
