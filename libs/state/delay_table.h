// SPDX-License-Identifier: Apache-2.0
// Progress of the delay levels as committed: the next message of each level to deliver. Changed
// only by StateMachine; readers use it on the log shard.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "base/types.h"
#include "protocol/data_version.h"

namespace gantry::state {

class DelayTable {
 public:
  // Queue offset in SCHEDULE_TOPIC_XXXX, queue level-1; 0 for a level that never delivered.
  QueueOffset next(std::int32_t level) const;
  const std::map<std::int32_t, QueueOffset>& all() const { return next_; }
  const protocol::DataVersion& data_version() const { return version_; }

 private:
  friend class StateMachine;
  // False, without effect, when the level is already at or past `next`.
  bool advance(std::int32_t level, QueueOffset next);
  void set(std::int32_t level, QueueOffset next);
  void clear();
  protocol::DataVersion& mutable_version() { return version_; }

  std::map<std::int32_t, QueueOffset> next_;
  protocol::DataVersion version_;
};

}  // namespace gantry::state
