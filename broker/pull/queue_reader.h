// SPDX-License-Identifier: Apache-2.0
// Reads messages of one queue for a pull: walks the consume queue, filters by tag hash, gathers
// records up to the limits. RocketMQ's rules for what an offset outside the queue means. Log shard
// only; never waits for the disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/core/context.h"
#include "broker/pull/message_filter.h"

namespace gantry::broker {

enum class PullStatus : std::uint8_t {
  kFound,
  kNoMatchedMessage,
  kMessageWasRemoving,
  kNoMatchedLogicQueue,
  kNoMessageInQueue,
  kOffsetTooSmall,
  kOffsetOverflowOne,
  kOffsetOverflowBadly,
  kOffsetFoundNull,
  kOffsetReset,
};
std::string_view pull_status_name(PullStatus status);  // RocketMQ's, e.g. "NO_MESSAGE_IN_QUEUE"

struct PullResult {
  PullStatus status = PullStatus::kNoMatchedLogicQueue;
  QueueOffset next_begin, min, max;
  std::string_view records;  // concatenated; valid until the next read
  std::uint32_t messages = 0;
  bool lagging = false;              // reads from what is not in memory any more
  std::int64_t oldest_store_ms = 0;  // of the first message

  // Not in memory: fetch this range of the log, then read again. Nothing else is set.
  struct Missing {
    LogPosition position;
    std::size_t size = 0;
  };
  std::optional<Missing> missing;
};

class QueueReader {
 public:
  explicit QueueReader(BrokerContext& context);
  PullResult read(std::string_view topic, std::int32_t queue_id, QueueOffset offset,
                  std::int32_t max_messages, std::int64_t max_bytes, const MessageFilter& filter);

 private:
  struct Limits {
    std::int64_t bytes = 0;
    std::uint32_t count = 0;
  };
  void gather(store::ConsumeQueue& queue, QueueOffset offset, std::uint32_t max_messages,
              std::int64_t max_bytes, const MessageFilter& filter, PullResult& result);
  bool lagging(LogPosition position) const;
  Limits limits(bool lagging, std::uint32_t max_messages, std::int64_t max_bytes) const;

  BrokerContext& context_;
  std::int64_t memory_bytes_;
  std::string records_;
  std::vector<store::QueueEntry> entries_;
};

}  // namespace gantry::broker
