// SPDX-License-Identifier: Apache-2.0
// TopicStatsTable: response body of 202.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/message_queue.h"

namespace gantry::protocol {

struct TopicOffset {
  std::int64_t min_offset = 0;
  std::int64_t max_offset = 0;
  std::int64_t last_update_timestamp_ms = 0;  // store time of the last message; 0 = none

  bool operator==(const TopicOffset&) const = default;
};

struct TopicStatsTable {
  MessageQueueMap<TopicOffset> offset_table;
  double topic_put_tps = 0;

  bool operator==(const TopicStatsTable&) const = default;

  std::string to_json() const;
  static Result<TopicStatsTable> from_json(std::string_view body);
};

}  // namespace gantry::protocol
