// SPDX-License-Identifier: Apache-2.0
// Response body of QUERY_CONSUME_QUEUE (321).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/subscription_data.h"

namespace gantry::protocol {

struct ConsumeQueueEntry {
  std::int64_t physic_offset = 0;
  std::int32_t physic_size = 0;
  std::int64_t tags_code = 0;
  bool eval = false;  // whether the subscription's filter lets it pass
  std::optional<std::string> extend_data_json;
  std::optional<std::string> bit_map;
  std::optional<std::string> msg;

  bool operator==(const ConsumeQueueEntry&) const = default;
};

struct QueryConsumeQueueResponse {
  std::optional<SubscriptionData> subscription_data;
  std::optional<std::string> filter_data;
  std::vector<ConsumeQueueEntry> queue_data;
  std::int64_t max_queue_index = 0;
  std::int64_t min_queue_index = 0;

  bool operator==(const QueryConsumeQueueResponse&) const = default;

  std::string to_json() const;
  static Result<QueryConsumeQueueResponse> from_json(std::string_view body);
};

}  // namespace gantry::protocol
