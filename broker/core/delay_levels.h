// SPDX-License-Identifier: Apache-2.0
// The delay levels of messageDelayLevel, and how a delivered message names the scheduled one it
// delivers: the record's preparedTransactionOffset, which clients cannot set, holds the level and
// the scheduled message's queue offset (docs/adr/0002-delay-step-in-record-field.md).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/types.h"
#include "broker/core/transaction_records.h"
#include "protocol/record.h"

namespace gantry::broker {

class DelayLevels {
 public:
  explicit DelayLevels(std::vector<std::int64_t> delays_ms) : delays_ms_(std::move(delays_ms)) {}
  std::int32_t max_level() const { return static_cast<std::int32_t>(delays_ms_.size()); }
  std::int32_t clamp(std::int32_t level) const { return std::min(level, max_level()); }
  // Level 1 is the first.
  std::int64_t delay_ms(std::int32_t level) const {
    return delays_ms_[static_cast<std::size_t>(std::clamp(level, 1, max_level()) - 1)];
  }

 private:
  std::vector<std::int64_t> delays_ms_;
};

struct DelayStep {
  std::int32_t level = 0;
  QueueOffset scheduled;  // queue offset in SCHEDULE_TOPIC_XXXX, queue level - 1

  static constexpr int kOffsetBits = 48;
  std::int64_t encode() const {
    return (static_cast<std::int64_t>(level) << kOffsetBits) | (scheduled.v + 1);
  }
  static std::optional<DelayStep> decode(std::int64_t field) {
    constexpr std::int64_t kMask = (std::int64_t{1} << kOffsetBits) - 1;
    if (field <= kMask || (field & kMask) == 0) return std::nullopt;
    if (TransactionStep::decode(field)) return std::nullopt;
    return DelayStep{static_cast<std::int32_t>(field >> kOffsetBits),
                     QueueOffset((field & kMask) - 1)};
  }
};

// Appends a record as clients get it. Steps are ours: as RocketMQ stores that field, clients see 0
// in it, or the half message's position in a committed message of a transaction.
inline void append_served(std::string& out, const protocol::RecordView& record) {
  out.append(record.bytes);
  if (record.prepared_transaction_offset == 0) return;
  std::int64_t shown = 0;
  if (record.transaction_type() != 0) {
    const auto step = TransactionStep::decode(record.prepared_transaction_offset);
    if (!step) return;
    shown = step->half.v;
  }
  const std::size_t at = static_cast<std::size_t>(record.body.data() - record.bytes.data()) - 12;
  store_be<std::int64_t>(out.data() + out.size() - record.bytes.size() + at, shown);
}
inline void append_served(std::string& out, std::string_view bytes) {
  if (const auto record = protocol::decode_record(bytes)) append_served(out, *record);
}

}  // namespace gantry::broker
