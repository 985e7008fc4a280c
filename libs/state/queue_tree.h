// SPDX-License-Identifier: Apache-2.0
// A value per (group, topic, queueId), found without building a composite key. Plain container for
// the log shard; no thread rules of its own.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/string_hash.h"

namespace gantry::state {

template <class V>
class QueueTree {
 public:
  using Queues = std::map<std::int32_t, V>;
  using Topics = StringMap<Queues>;

  const Topics* topics(std::string_view group) const {
    const auto it = groups_.find(group);
    return it == groups_.end() ? nullptr : &it->second;
  }
  const Queues* queues(std::string_view group, std::string_view topic) const {
    const Topics* by_topic = topics(group);
    if (by_topic == nullptr) return nullptr;
    const auto it = by_topic->find(topic);
    return it == by_topic->end() ? nullptr : &it->second;
  }
  const V* find(std::string_view group, std::string_view topic, std::int32_t queue_id) const {
    const Queues* by_queue = queues(group, topic);
    if (by_queue == nullptr) return nullptr;
    const auto it = by_queue->find(queue_id);
    return it == by_queue->end() ? nullptr : &it->second;
  }
  V* find(std::string_view group, std::string_view topic, std::int32_t queue_id) {
    return const_cast<V*>(std::as_const(*this).find(group, topic, queue_id));
  }
  // Makes a default value when there is none.
  V& at(std::string_view group, std::string_view topic, std::int32_t queue_id) {
    return queues_of(group, topic)[queue_id];
  }
  void put_queues(std::string_view group, std::string_view topic, Queues queues) {
    queues_of(group, topic) = std::move(queues);
  }

  bool erase(std::string_view group, std::string_view topic, std::int32_t queue_id) {
    const auto by_topic = groups_.find(group);
    if (by_topic == groups_.end()) return false;
    const auto by_queue = by_topic->second.find(topic);
    if (by_queue == by_topic->second.end() || by_queue->second.erase(queue_id) == 0) return false;
    if (by_queue->second.empty()) by_topic->second.erase(by_queue);
    if (by_topic->second.empty()) groups_.erase(by_topic);
    return true;
  }
  bool erase(std::string_view group, std::string_view topic) {
    const auto by_topic = groups_.find(group);
    if (by_topic == groups_.end() || !erase_topic(by_topic->second, topic)) return false;
    if (by_topic->second.empty()) groups_.erase(by_topic);
    return true;
  }
  bool erase_group(std::string_view group) {
    const auto it = groups_.find(group);
    if (it == groups_.end()) return false;
    groups_.erase(it);
    return true;
  }
  // `topic` of every group.
  bool erase_topic(std::string_view topic) {
    bool erased = false;
    for (auto it = groups_.begin(); it != groups_.end();) {
      if (erase_topic(it->second, topic)) erased = true;
      it = it->second.empty() ? groups_.erase(it) : std::next(it);
    }
    return erased;
  }
  void clear() { groups_.clear(); }
  bool empty() const { return groups_.empty(); }

  // visit(group, topic, queues), in no particular order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [group, by_topic] : groups_) {
      for (const auto& [topic, by_queue] : by_topic) visit(group, topic, by_queue);
    }
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [group, by_topic] : groups_) {
      for (auto& [topic, by_queue] : by_topic) visit(group, topic, by_queue);
    }
  }

 private:
  Queues& queues_of(std::string_view group, std::string_view topic) {
    auto by_topic = groups_.find(group);
    if (by_topic == groups_.end()) by_topic = groups_.try_emplace(std::string(group)).first;
    auto by_queue = by_topic->second.find(topic);
    if (by_queue == by_topic->second.end()) {
      by_queue = by_topic->second.try_emplace(std::string(topic)).first;
    }
    return by_queue->second;
  }
  static bool erase_topic(Topics& by_topic, std::string_view topic) {
    const auto it = by_topic.find(topic);
    if (it == by_topic.end()) return false;
    by_topic.erase(it);
    return true;
  }

  StringMap<Topics> groups_;
};

}  // namespace gantry::state
