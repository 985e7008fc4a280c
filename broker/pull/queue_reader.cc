// SPDX-License-Identifier: Apache-2.0
#include "broker/pull/queue_reader.h"

#include <algorithm>

#include "broker/core/delay_levels.h"
#include "broker/core/memory_shares.h"
#include "log/log.h"
#include "runtime/process_limits.h"

namespace gantry::broker {
namespace {

log::Logger logger("pull");
constexpr std::size_t kEntriesPerRead = 64;
constexpr std::size_t kPrefetchBytes = 256 << 10;

}  // namespace

std::string_view pull_status_name(PullStatus status) {
  switch (status) {
    case PullStatus::kFound:
      return "FOUND";
    case PullStatus::kNoMatchedMessage:
      return "NO_MATCHED_MESSAGE";
    case PullStatus::kMessageWasRemoving:
      return "MESSAGE_WAS_REMOVING";
    case PullStatus::kNoMatchedLogicQueue:
      return "NO_MATCHED_LOGIC_QUEUE";
    case PullStatus::kNoMessageInQueue:
      return "NO_MESSAGE_IN_QUEUE";
    case PullStatus::kOffsetTooSmall:
      return "OFFSET_TOO_SMALL";
    case PullStatus::kOffsetOverflowOne:
      return "OFFSET_OVERFLOW_ONE";
    case PullStatus::kOffsetOverflowBadly:
      return "OFFSET_OVERFLOW_BADLY";
    case PullStatus::kOffsetFoundNull:
      return "OFFSET_FOUND_NULL";
    case PullStatus::kOffsetReset:
      return "OFFSET_RESET";
  }
  return "UNKNOWN";
}

QueueReader::QueueReader(BrokerContext& context)
    : context_(context), memory_bytes_(runtime::process_limits().memory_bytes) {
  entries_.resize(kEntriesPerRead);
}

bool QueueReader::lagging(LogPosition position) const {
  return context_.storage.log().committed() - position >
         in_memory_bytes(context_.config, memory_bytes_);
}

QueueReader::Limits QueueReader::limits(bool behind, std::uint32_t max_messages,
                                        std::int64_t max_bytes) const {
  const config::BrokerConfig& c = context_.config;
  Limits l;
  l.bytes =
      behind ? c.max_transfer_bytes_on_message_in_disk : c.max_transfer_bytes_on_message_in_memory;
  l.count = static_cast<std::uint32_t>(behind ? c.max_transfer_count_on_message_in_disk
                                              : c.max_transfer_count_on_message_in_memory);
  if (max_bytes > 0) l.bytes = std::min(l.bytes, max_bytes);
  l.count = std::max(1U, std::min(l.count, max_messages));
  return l;
}

PullResult QueueReader::read(std::string_view topic, std::int32_t queue_id, QueueOffset offset,
                             std::int32_t max_messages, std::int64_t max_bytes,
                             const MessageFilter& filter) {
  PullResult result;
  store::ConsumeQueue* queue = context_.storage.queues().find(topic, queue_id);
  // A follower may be behind what the consumer has got from the leader: it has nothing yet, and
  // must not send it back.
  if (!context_.storage.leading() && offset > (queue == nullptr ? QueueOffset(0) : queue->max())) {
    if (queue != nullptr) {
      result.min = queue->min();
      result.max = queue->max();
    }
    result.status = PullStatus::kOffsetOverflowOne;
    result.next_begin = offset;
    return result;
  }
  if (queue == nullptr) {
    // A queue of a topic that exists and was never written to is empty, not unknown.
    const auto* config = context_.storage.proposals().find_topic(topic);
    result.status = config != nullptr && queue_id < config->read_queue_nums
                        ? PullStatus::kNoMessageInQueue
                        : PullStatus::kNoMatchedLogicQueue;
    return result;
  }
  result.min = queue->min();
  result.max = queue->max();
  if (queue->max().v == 0) {
    result.status = PullStatus::kNoMessageInQueue;
  } else if (offset < queue->min()) {
    result.status = PullStatus::kOffsetTooSmall;
    result.next_begin = queue->min();
  } else if (offset == queue->max()) {
    result.status = PullStatus::kOffsetOverflowOne;
    result.next_begin = offset;
  } else if (offset > queue->max()) {
    result.status = PullStatus::kOffsetOverflowBadly;
    result.next_begin = queue->max();
  } else {
    gather(*queue, offset, static_cast<std::uint32_t>(std::max(1, max_messages)), max_bytes, filter,
           result);
  }
  return result;
}

void QueueReader::gather(store::ConsumeQueue& queue, QueueOffset offset, std::uint32_t max_messages,
                         std::int64_t max_bytes, const MessageFilter& filter, PullResult& result) {
  replog::Log& log = context_.storage.log();
  records_.clear();
  result.status = PullStatus::kNoMatchedMessage;
  const std::int64_t scan_max = std::max<std::int64_t>(
      context_.config.max_filter_message_size / store::ConsumeQueue::kEntryBytes, max_messages);
  std::int64_t scanned = 0;
  QueueOffset at = offset;
  Limits limit = limits(false, max_messages, max_bytes);
  bool first_entry = true;
  while (scanned < scan_max) {
    const std::size_t want =
        std::min(entries_.size(), static_cast<std::size_t>(scan_max - scanned));
    const auto count = queue.read(at, {entries_.data(), want});
    if (!count) {
      static log::RateLimit rate(10000);
      if (rate.admit()) logger.error("reading a consume queue failed: {}", count.error().message);
      if (result.messages == 0) result.status = PullStatus::kOffsetFoundNull;
      break;
    }
    if (*count == 0) break;
    bool full = false;
    for (std::size_t i = 0; i < *count; ++i) {
      const store::QueueEntry& entry = entries_[i];
      if (entry.blank() || !filter.matches(entry.tags_code)) {
        ++at;
        ++scanned;
        continue;
      }
      if (first_entry) {
        first_entry = false;
        result.lagging = lagging(entry.position);
        limit = limits(result.lagging, max_messages, max_bytes);
      }
      const auto size = static_cast<std::int64_t>(entry.size);
      if (result.messages > 0 &&
          (result.messages >= limit.count ||
           static_cast<std::int64_t>(records_.size()) + size > limit.bytes)) {
        full = true;
        break;
      }
      bool would_block = false;
      const auto record =
          log.read_record(entry.position, static_cast<std::size_t>(entry.size), &would_block);
      if (would_block) {
        if (result.messages > 0) {
          full = true;  // answer with what is there; the next pull starts at the missing one
          break;
        }
        // The following entries are wanted too: bring them along.
        LogPosition end = entry.position + size;
        for (std::size_t k = i + 1; k < *count && k < i + limit.count; ++k) {
          if (entries_[k].blank() ||
              entries_[k].position - entry.position > static_cast<std::int64_t>(kPrefetchBytes))
            break;
          end = entries_[k].position + entries_[k].size;
        }
        result.missing =
            PullResult::Missing{entry.position, static_cast<std::size_t>(end - entry.position)};
        return;
      }
      ++at;
      ++scanned;
      if (!record) {
        // Deleted meanwhile or damaged: there is nothing to hand out at this offset.
        if (record.error().code == ErrorCode::kNotFound && result.messages == 0) {
          result.status = PullStatus::kMessageWasRemoving;
        }
        continue;
      }
      if (result.messages == 0) result.oldest_store_ms = record->store_timestamp_ms;
      append_served(records_, *record);
      ++result.messages;
      result.status = PullStatus::kFound;
    }
    if (full) break;
  }
  result.next_begin = at;
  result.records = records_;
}

}  // namespace gantry::broker
