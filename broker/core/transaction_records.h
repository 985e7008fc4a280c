// SPDX-License-Identifier: Apache-2.0
// What records say of transactions. A record that ends one names the half message: its
// preparedTransactionOffset, which clients cannot set, holds the half message's position and a mark
// that Apache RocketMQ never sets (docs/adr/0010-transactions.md). Applying that one record
// publishes what it holds and closes the transaction. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"
#include "protocol/record.h"
#include "state/transaction_table.h"

namespace gantry::broker {

inline constexpr std::int32_t kTransactionQueue = 0;            // of the half and the op topic
inline constexpr std::string_view kRemoveTransactionTag = "d";  // of an op record

struct TransactionStep {
  LogPosition half;

  static constexpr std::int64_t kMark = std::int64_t{1} << 62;
  std::int64_t encode() const { return kMark | half.v; }
  static std::optional<TransactionStep> decode(std::int64_t field) {
    if ((field & kMark) == 0 || field < 0) return std::nullopt;
    return TransactionStep{LogPosition(field & ~kMark)};
  }
};

// The transaction that a half message opens; nullopt: the record is none. A half message that names
// no target is none either: nothing could become of it.
std::optional<state::OpenTransaction> opened_by(const protocol::RecordView& record);

// The queue offsets that an op record of Apache RocketMQ names; empty: the record is none.
std::vector<QueueOffset> ended_by(const protocol::RecordView& record);

// The body of an op record.
std::string op_body(const std::vector<QueueOffset>& halves);

// CHECK_IMMUNITY_TIME_IN_SECONDS of a half message in milliseconds; -1: none, or no number.
std::int64_t immunity_ms(std::string_view properties);

// Where a half message goes; nullopt: it does not say.
struct RealTarget {
  std::string_view topic;  // into the properties
  std::int32_t queue_id = 0;
};
std::optional<RealTarget> real_target(std::string_view properties);

}  // namespace gantry::broker
