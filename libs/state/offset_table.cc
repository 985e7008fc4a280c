// SPDX-License-Identifier: Apache-2.0
#include "state/offset_table.h"

#include <algorithm>
#include <utility>

namespace gantry::state {

std::optional<QueueOffset> OffsetTable::committed(std::string_view group, std::string_view topic,
                                                  std::int32_t queue_id) const {
  const Entry* entry = tree_.find(group, topic, queue_id);
  return entry == nullptr ? std::nullopt : std::optional<QueueOffset>(entry->offset);
}

const OffsetTable::Entry* OffsetTable::find(std::string_view group, std::string_view topic,
                                            std::int32_t queue_id) const {
  return tree_.find(group, topic, queue_id);
}

const OffsetTable::Tree::Queues* OffsetTable::queues(std::string_view group,
                                                     std::string_view topic) const {
  return tree_.queues(group, topic);
}

std::vector<std::string> OffsetTable::topics_of(std::string_view group) const {
  std::vector<std::string> out;
  if (const Tree::Topics* topics = tree_.topics(group)) {
    for (const auto& entry : *topics) out.push_back(entry.first);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> OffsetTable::groups_of(std::string_view topic) const {
  std::vector<std::string> out;
  tree_.for_each([&](const std::string& group, const std::string& of_topic, const auto&) {
    if (of_topic == topic) out.push_back(group);
  });
  std::sort(out.begin(), out.end());
  return out;
}

void OffsetTable::commit(std::string_view group, std::string_view topic, std::int32_t queue_id,
                         QueueOffset offset) {
  Entry& entry = tree_.at(group, topic, queue_id);
  if (!entry.pending_reset) entry.offset = offset;
}

void OffsetTable::reset(std::string_view group, std::string_view topic, std::int32_t queue_id,
                        QueueOffset offset, bool pending) {
  Entry& entry = tree_.at(group, topic, queue_id);
  if (entry.pending_reset) --pending_resets_;
  if (pending) ++pending_resets_;
  entry = Entry{offset, pending};
}

void OffsetTable::consume_reset(std::string_view group, std::string_view topic,
                                std::int32_t queue_id) {
  Entry* entry = tree_.find(group, topic, queue_id);
  if (entry == nullptr || !entry->pending_reset) return;
  entry->pending_reset = false;
  --pending_resets_;
}

bool OffsetTable::remove(std::string_view group, std::string_view topic) {
  bool removed = false;
  if (topic.empty()) {
    removed = tree_.erase_group(group);
  } else if (group.empty()) {
    removed = tree_.erase_topic(topic);
  } else {
    removed = tree_.erase(group, topic);
  }
  if (removed && pending_resets_ != 0) count_pending();
  return removed;
}

void OffsetTable::clone(std::string_view source_group, std::string_view target_group,
                        std::string_view topic) {
  if (source_group == target_group) return;
  if (!topic.empty()) {
    if (const Tree::Queues* source = tree_.queues(source_group, topic)) {
      clone_queues(*source, target_group, topic);
    }
    return;
  }
  // Copied first: adding the target group may move the source's map.
  const Tree::Topics* found = tree_.topics(source_group);
  if (found == nullptr) return;
  const Tree::Topics topics = *found;
  for (const auto& [name, queues] : topics) clone_queues(queues, target_group, name);
}

void OffsetTable::clone_queues(const Tree::Queues& source, std::string_view target_group,
                               std::string_view topic) {
  Tree::Queues copy = source;
  for (auto& entry : copy) entry.second.pending_reset = false;
  tree_.put_queues(target_group, topic, std::move(copy));
  if (pending_resets_ != 0) count_pending();
}

void OffsetTable::count_pending() {
  pending_resets_ = 0;
  tree_.for_each([this](const auto&, const auto&, const Tree::Queues& queues) {
    for (const auto& entry : queues) pending_resets_ += entry.second.pending_reset ? 1U : 0U;
  });
}

void OffsetTable::clear() { *this = OffsetTable(); }

}  // namespace gantry::state
