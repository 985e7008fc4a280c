// SPDX-License-Identifier: Apache-2.0
// Response body of QUERY_CONSUME_TIME_SPAN (303). Times are Unix epoch ms, -1 for empty queues.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/message_queue.h"

namespace gantry::protocol {

struct QueueTimeSpan {
  MessageQueue message_queue;
  std::int64_t min_timestamp_ms = -1;
  std::int64_t max_timestamp_ms = -1;
  std::int64_t consume_timestamp_ms = -1;
  std::int64_t delay_time_ms = 0;

  bool operator==(const QueueTimeSpan&) const = default;
};

struct QueryConsumeTimeSpan {
  std::vector<QueueTimeSpan> consume_time_span_set;

  bool operator==(const QueryConsumeTimeSpan&) const = default;

  std::string to_json() const;
  static Result<QueryConsumeTimeSpan> from_json(std::string_view body);
};

}  // namespace gantry::protocol
