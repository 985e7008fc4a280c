// SPDX-License-Identifier: Apache-2.0
// Offset message ids (where a record is stored) and unique ids (made once per message).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/types.h"
#include "protocol/record.h"

namespace gantry::protocol {

// Uppercase hex of ip, port (4 bytes) and position (8 bytes): 32 or 56 characters.
void append_message_id(std::string& out, const RecordHost& store_host, LogPosition position);
std::string message_id(const RecordHost& store_host, LogPosition position);

struct DecodedMessageId {
  RecordHost host;
  LogPosition position;
};
Result<DecodedMessageId> decode_message_id(std::string_view id);

// Unique ids in the form clients use (ip, pid, a random part, ms since the month began, counter),
// for messages that come without one. One generator a shard.
class UniqueIdGenerator {
 public:
  UniqueIdGenerator(const RecordHost& host, std::uint32_t pid, std::uint32_t random);
  // 32 characters for IPv4; `now_ms` is the wall clock. The view is valid until the next call.
  std::string_view next(std::int64_t now_ms);

 private:
  void start_month(std::int64_t now_ms);
  std::string text_;
  std::size_t time_at_;
  std::int64_t month_start_ms_ = 0;
  std::int64_t month_end_ms_ = 0;
  std::int64_t last_ms_ = -1;
  std::uint16_t counter_ = 0;
};

}  // namespace gantry::protocol
