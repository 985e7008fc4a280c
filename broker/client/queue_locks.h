// SPDX-License-Identifier: Apache-2.0
// Queue locks of orderly consumers (codes 41 and 42): (group, queue) belongs to one client for a
// lease that each lock request renews. This is the leader's view: what is committed (LockTable)
// when its term begins, and what it has decided since; every grant is answered when it is
// committed. Log shard only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/message_queue.h"
#include "state/lock_table.h"

namespace gantry::broker {

class QueueLocks {
 public:
  explicit QueueLocks(std::int64_t lease_ms) : lease_ms_(lease_ms) {}

  // A term begins: forgets everything else.
  void load(const state::LockTable& committed) { groups_ = committed.all(); }
  // Locks that were last renewed before this are void.
  std::int64_t expired_before(std::int64_t now_ms) const { return now_ms - lease_ms_; }

  // The queues of `wanted` that `client` holds now.
  std::vector<protocol::MessageQueue> lock(std::string_view group, std::string_view client,
                                           const std::vector<protocol::MessageQueue>& wanted,
                                           std::int64_t now_ms);
  void unlock(std::string_view group, std::string_view client,
              const std::vector<protocol::MessageQueue>& queues);
  // Whether anybody holds an unexpired lock of the group.
  bool any_held(std::string_view group, std::int64_t now_ms) const;

 private:
  bool expired(const state::LockOwner& owner, std::int64_t now_ms) const {
    return owner.renewed_ms < expired_before(now_ms);
  }

  const std::int64_t lease_ms_;
  std::map<std::string, state::LockTable::Queues, std::less<>> groups_;
};

state::LockedQueue locked_queue(const protocol::MessageQueue& queue);

}  // namespace gantry::broker
