// SPDX-License-Identifier: Apache-2.0
// What a broker counts on its hot path: per topic and per (topic, group). Log shard only; metrics,
// code 28 and code 315 read it there.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/string_hash.h"

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

class BrokerStats {
 public:
  static constexpr std::array<std::uint64_t, 6> kSizeBounds = {
      1 << 10, 4 << 10, 512 << 10, 1 << 20, 2 << 20, 4 << 20};
  // Put latency buckets of code 28, upper bounds in ms; the last is open.
  static constexpr std::array<std::int64_t, 12> kPutBounds = {
      0, 10, 50, 100, 200, 500, 1000, 2000, 3000, 4000, 5000, 10000};

  TopicStats& topic(std::string_view name) { return entry(topics_, name); }
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

  std::uint64_t put_messages = 0, put_bytes = 0, put_failed = 0;
  std::uint64_t get_messages = 0, get_bytes = 0, get_found = 0, get_miss = 0;
  std::int64_t put_entire_time_max_ms = 0, get_entire_time_max_ms = 0;
  std::array<std::uint64_t, 13> put_latency{};

 private:
  template <class T>
  static T& entry(StringMap<T>& map, std::string_view key) {
    const auto it = map.find(key);
    return it != map.end() ? it->second : map.emplace(std::string(key), T{}).first->second;
  }
  StringMap<TopicStats> topics_;
  StringMap<GroupTopicStats> groups_;
  std::string key_;
};

}  // namespace gantry::broker
