// SPDX-License-Identifier: Apache-2.0
// Which client owns which queue of a group for orderly consumption, as committed. A new leader goes
// on with it, so that no two clients of a group consume a queue at a time because leadership moved.
// Changed only by StateMachine; readers use it on the log shard.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace gantry::state {

// A queue as clients name it in lock requests.
struct LockedQueue {
  std::string topic;
  std::string broker_name;
  std::int32_t queue_id = 0;
  auto operator<=>(const LockedQueue&) const = default;
};

struct LockOwner {
  std::string client;
  std::int64_t renewed_ms = 0;  // the clock of the leader that granted or renewed it
  bool operator==(const LockOwner&) const = default;
};

class LockTable {
 public:
  using Queues = std::map<LockedQueue, LockOwner>;
  const std::map<std::string, Queues, std::less<>>& all() const { return groups_; }

 private:
  friend class StateMachine;
  void put(std::string_view group, LockedQueue queue, LockOwner owner);
  // Without effect when somebody else owns it.
  void release(std::string_view group, std::string_view client, const LockedQueue& queue);
  // Locks that were last renewed before `time_ms`.
  void drop_expired(std::int64_t time_ms);
  void remove(std::string_view group);

  std::map<std::string, Queues, std::less<>> groups_;
};

}  // namespace gantry::state
