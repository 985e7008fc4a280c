// SPDX-License-Identifier: Apache-2.0
// The transactions that wait for an outcome, as committed: one entry a half message, in the order
// of the log, which is that of the half queue. Changed only by StateMachine; readers use it on the
// log shard.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/string_hash.h"
#include "base/types.h"

namespace gantry::state {

struct OpenTransaction {
  LogPosition position;      // of the half message's record
  QueueOffset queue_offset;  // in RMQ_SYS_TRANS_HALF_TOPIC, queue 0
  std::int64_t born_ms = 0;
  std::string topic;              // where the message goes when it is committed
  std::int64_t immunity_ms = -1;  // age below which it is not checked; -1: as configured
  std::int32_t checks = 0;        // how often its producer was asked

  bool operator==(const OpenTransaction&) const = default;
};

class TransactionTable {
 public:
  const OpenTransaction* find(LogPosition half) const;
  const std::map<LogPosition, OpenTransaction>& all() const { return open_; }
  // How many are open for each topic; none with 0.
  const StringMap<std::uint64_t>& by_topic() const { return by_topic_; }

 private:
  friend class StateMachine;
  // False, without effect: not behind all others, or a position or offset below 0.
  bool put(OpenTransaction open);
  bool remove(LogPosition half);
  bool remove(QueueOffset half);
  void remove_before(LogPosition position);
  bool count_check(LogPosition half);
  void clear();
  void forget(const std::map<LogPosition, OpenTransaction>::iterator& at);

  std::map<LogPosition, OpenTransaction> open_;
  std::map<QueueOffset, LogPosition> by_offset_;
  StringMap<std::uint64_t> by_topic_;
};

}  // namespace gantry::state
