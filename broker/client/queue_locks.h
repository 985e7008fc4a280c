// SPDX-License-Identifier: Apache-2.0
// Queue locks of orderly consumers (codes 41 and 42): (group, queue) belongs to one client for a
// lease that each lock request renews. In the leader's memory. Log shard only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/message_queue.h"

namespace gantry::broker {

class QueueLocks {
 public:
  explicit QueueLocks(std::int64_t lease_ms) : lease_ms_(lease_ms) {}

  // The queues of `wanted` that `client` holds now.
  std::vector<protocol::MessageQueue> lock(std::string_view group, std::string_view client,
                                           const std::vector<protocol::MessageQueue>& wanted,
                                           std::int64_t now_ms);
  void unlock(std::string_view group, std::string_view client,
              const std::vector<protocol::MessageQueue>& queues);
  // Whether anybody holds an unexpired lock of the group.
  bool any_held(std::string_view group, std::int64_t now_ms) const;

 private:
  struct Owner {
    std::string client;
    std::int64_t renewed_ms = 0;
  };
  using Key = std::pair<std::string, std::pair<std::string, std::int32_t>>;  // topic, broker, id
  bool expired(const Owner& owner, std::int64_t now_ms) const {
    return now_ms - owner.renewed_ms > lease_ms_;
  }
  static Key key_of(const protocol::MessageQueue& queue);

  const std::int64_t lease_ms_;
  std::map<std::string, std::map<Key, Owner>, std::less<>> groups_;
};

}  // namespace gantry::broker
