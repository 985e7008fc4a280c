// SPDX-License-Identifier: Apache-2.0
#include "broker/client/queue_locks.h"

#include <algorithm>

namespace gantry::broker {

state::LockedQueue locked_queue(const protocol::MessageQueue& queue) {
  return {queue.topic, queue.broker_name, queue.queue_id};
}

std::vector<protocol::MessageQueue> QueueLocks::lock(
    std::string_view group, std::string_view client,
    const std::vector<protocol::MessageQueue>& wanted, std::int64_t now_ms) {
  auto it = groups_.find(group);
  if (it == groups_.end())
    it = groups_.emplace(std::string(group), state::LockTable::Queues{}).first;
  std::vector<protocol::MessageQueue> held;
  for (const protocol::MessageQueue& queue : wanted) {
    state::LockOwner& owner = it->second[locked_queue(queue)];
    if (owner.client != client && !owner.client.empty() && !expired(owner, now_ms)) continue;
    owner.client = std::string(client);
    owner.renewed_ms = now_ms;
    held.push_back(queue);
  }
  return held;
}

void QueueLocks::unlock(std::string_view group, std::string_view client,
                        const std::vector<protocol::MessageQueue>& queues) {
  const auto it = groups_.find(group);
  if (it == groups_.end()) return;
  for (const protocol::MessageQueue& queue : queues) {
    const auto owner = it->second.find(locked_queue(queue));
    if (owner != it->second.end() && owner->second.client == client) it->second.erase(owner);
  }
  if (it->second.empty()) groups_.erase(it);
}

bool QueueLocks::any_held(std::string_view group, std::int64_t now_ms) const {
  const auto it = groups_.find(group);
  return it != groups_.end() && std::ranges::any_of(it->second, [&](const auto& entry) {
           return !expired(entry.second, now_ms);
         });
}

}  // namespace gantry::broker
