// SPDX-License-Identifier: Apache-2.0
// Offsets by queue: ResetOffsetBody (220, 222), GetConsumerStatusBody (221, 223).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/message_queue.h"

namespace gantry::protocol {

struct ResetOffsetBody {
  MessageQueueMap<std::int64_t> offset_table;

  bool operator==(const ResetOffsetBody&) const = default;

  std::string to_json() const;
  // For C++ clients: an array of {"brokerName","offset","queueId","topic"}.
  std::string to_json_list() const;
  // Accepts both forms, and Go's array of pairs.
  static Result<ResetOffsetBody> from_json(std::string_view body);
};

struct GetConsumerStatusBody {
  MessageQueueMap<std::int64_t> message_queue_table;  // what one client answers to 221
  // client id -> queue -> offset; what the broker answers to 223
  std::map<std::string, MessageQueueMap<std::int64_t>, std::less<>> consumer_table;

  bool operator==(const GetConsumerStatusBody&) const = default;

  std::string to_json() const;
  static Result<GetConsumerStatusBody> from_json(std::string_view body);
};

}  // namespace gantry::protocol
