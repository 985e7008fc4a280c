// SPDX-License-Identifier: Apache-2.0
// The small tables behind StateMachine. None of them decides anything: they store what was applied.
#include <algorithm>
#include <utility>

#include "state/delay_table.h"
#include "state/epoch_table.h"
#include "state/group_table.h"
#include "state/lock_table.h"
#include "state/offset_table.h"
#include "state/subscription_table.h"
#include "state/topic_table.h"

namespace gantry::state {
namespace {

// Inserts or overwrites; tells whether the table changed and whether a key was added.
template <class Config>
bool put_config(StringMap<Config>& table, std::string_view name, Config config, bool& added) {
  const auto it = table.find(name);
  if (it == table.end()) {
    std::string key(name);
    table.emplace(std::move(key), std::move(config));
    added = true;
    return true;
  }
  if (it->second == config) return false;
  it->second = std::move(config);
  return true;
}

template <class Config>
void sort_by_name(const StringMap<Config>& table, std::vector<const Config*>& out) {
  std::vector<std::pair<std::string_view, const Config*>> named;
  named.reserve(table.size());
  for (const auto& [name, config] : table) named.emplace_back(name, &config);
  std::sort(named.begin(), named.end());
  out.clear();
  for (const auto& entry : named) out.push_back(entry.second);
}

template <class Config>
bool erase_config(StringMap<Config>& table, std::string_view name) {
  const auto it = table.find(name);
  if (it == table.end()) return false;
  table.erase(it);
  return true;
}

}  // namespace

const protocol::TopicConfig* TopicTable::find(std::string_view name) const {
  if (const protocol::TopicConfig* found = last_found_.get(name)) return found;
  const auto it = topics_.find(name);
  return it == topics_.end() ? nullptr : last_found_.remember(*it);
}

const std::vector<const protocol::TopicConfig*>& TopicTable::all() const {
  if (!sorted_valid_) sort_by_name(topics_, sorted_);
  sorted_valid_ = true;
  return sorted_;
}

bool TopicTable::put(protocol::TopicConfig config) {
  bool added = false;
  const std::string name = config.topic_name;
  const bool changed = put_config(topics_, name, std::move(config), added);
  if (added) sorted_valid_ = false;
  return changed;
}

bool TopicTable::erase(std::string_view name) {
  last_found_.forget();
  if (!erase_config(topics_, name)) return false;
  sorted_valid_ = false;
  return true;
}

void TopicTable::clear() { *this = TopicTable(); }

const protocol::SubscriptionGroupConfig* GroupTable::find(std::string_view name) const {
  const auto it = groups_.find(name);
  return it == groups_.end() ? nullptr : &it->second;
}

const std::vector<const protocol::SubscriptionGroupConfig*>& GroupTable::all() const {
  if (!sorted_valid_) sort_by_name(groups_, sorted_);
  sorted_valid_ = true;
  return sorted_;
}

std::int32_t GroupTable::forbidden(std::string_view group, std::string_view topic) const {
  const auto by_topic = forbidden_.find(group);
  if (by_topic == forbidden_.end()) return 0;
  const auto bits = by_topic->second.find(topic);
  return bits == by_topic->second.end() ? 0 : bits->second;
}

bool GroupTable::put(protocol::SubscriptionGroupConfig config) {
  bool added = false;
  const std::string name = config.group_name;
  const bool changed = put_config(groups_, name, std::move(config), added);
  if (added) sorted_valid_ = false;
  return changed;
}

bool GroupTable::erase(std::string_view name) {
  if (!erase_config(groups_, name)) return false;
  sorted_valid_ = false;
  return true;
}

bool GroupTable::set_forbidden(std::string_view group, std::string_view topic, std::int32_t bits) {
  if (forbidden(group, topic) == bits) return false;
  if (bits != 0) {
    forbidden_[std::string(group)][std::string(topic)] = bits;
    return true;
  }
  const auto by_topic = forbidden_.find(group);
  by_topic->second.erase(std::string(topic));
  if (by_topic->second.empty()) forbidden_.erase(by_topic);
  return true;
}

void GroupTable::clear() { *this = GroupTable(); }

QueueOffset DelayTable::next(std::int32_t level) const {
  const auto it = next_.find(level);
  return it == next_.end() ? QueueOffset(0) : it->second;
}

bool DelayTable::advance(std::int32_t level, QueueOffset next) {
  if (next <= this->next(level)) return false;
  next_[level] = next;
  return true;
}

void DelayTable::set(std::int32_t level, QueueOffset next) { next_[level] = next; }

void DelayTable::clear() { *this = DelayTable(); }

std::optional<Epoch> EpochTable::at(LogPosition position) const {
  const auto behind =
      std::upper_bound(epochs_.begin(), epochs_.end(), position,
                       [](LogPosition p, const Epoch& epoch) { return p < epoch.start; });
  if (behind == epochs_.begin()) return std::nullopt;
  return *std::prev(behind);
}

std::optional<Epoch> EpochTable::last() const {
  return epochs_.empty() ? std::nullopt : std::optional<Epoch>(epochs_.back());
}

bool EpochTable::append(const Epoch& epoch) {
  if (!epochs_.empty()) {
    Epoch& last = epochs_.back();
    if (epoch.term < last.term || epoch.start < last.start) return false;
    if (epoch.start == last.start) {
      last = epoch;
      return true;
    }
  }
  epochs_.push_back(epoch);
  return true;
}

void EpochTable::trim(LogPosition begin) {
  const auto behind =
      std::upper_bound(epochs_.begin(), epochs_.end(), begin,
                       [](LogPosition p, const Epoch& epoch) { return p < epoch.start; });
  if (behind != epochs_.begin()) epochs_.erase(epochs_.begin(), std::prev(behind));
}

void LockTable::put(std::string_view group, LockedQueue queue, LockOwner owner) {
  auto it = groups_.find(group);
  if (it == groups_.end()) it = groups_.emplace(std::string(group), Queues{}).first;
  it->second.insert_or_assign(std::move(queue), std::move(owner));
}

void LockTable::release(std::string_view group, std::string_view client, const LockedQueue& queue) {
  const auto it = groups_.find(group);
  if (it == groups_.end()) return;
  const auto owner = it->second.find(queue);
  if (owner == it->second.end() || owner->second.client != client) return;
  it->second.erase(owner);
  if (it->second.empty()) groups_.erase(it);
}

void LockTable::drop_expired(std::int64_t time_ms) {
  for (auto& [group, queues] : groups_) {
    std::erase_if(queues, [&](const auto& entry) { return entry.second.renewed_ms < time_ms; });
  }
  std::erase_if(groups_, [](const auto& entry) { return entry.second.empty(); });
}

void LockTable::remove(std::string_view group) {
  const auto it = groups_.find(group);
  if (it != groups_.end()) groups_.erase(it);
}

const GroupSubscriptions* SubscriptionTable::find(std::string_view group) const {
  const auto it = groups_.find(group);
  return it == groups_.end() ? nullptr : &it->second;
}

void SubscriptionTable::put(std::string_view group, GroupSubscriptions subscriptions) {
  if (subscriptions.topics.empty()) return remove(group);
  groups_.insert_or_assign(std::string(group), std::move(subscriptions));
}

void SubscriptionTable::remove(std::string_view group) {
  const auto it = groups_.find(group);
  if (it != groups_.end()) groups_.erase(it);
}

}  // namespace gantry::state
