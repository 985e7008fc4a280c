// SPDX-License-Identifier: Apache-2.0
// Consumer progress: ConsumeStats (208) and ConsumeStatsList (317).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "protocol/message_queue.h"

namespace gantry::protocol {

struct OffsetWrapper {
  std::int64_t broker_offset = 0;
  std::int64_t consumer_offset = 0;
  std::int64_t pull_offset = 0;
  std::int64_t last_timestamp_ms = 0;  // store time of message consumer_offset - 1; 0 = none

  bool operator==(const OffsetWrapper&) const = default;
};

struct ConsumeStats {
  MessageQueueMap<OffsetWrapper> offset_table;
  double consume_tps = 0;

  bool operator==(const ConsumeStats&) const = default;

  std::string to_json() const;
  static Result<ConsumeStats> from_json(std::string_view body);
};

struct ConsumeStatsList {
  // Each element: group -> its stats, as Java's List<Map<String, List<ConsumeStats>>>.
  std::vector<std::map<std::string, std::vector<ConsumeStats>, std::less<>>> consume_stats_list;
  std::string broker_addr;
  std::int64_t total_diff = 0;
  std::int64_t total_inflight_diff = 0;

  bool operator==(const ConsumeStatsList&) const = default;

  std::string to_json() const;
  static Result<ConsumeStatsList> from_json(std::string_view body);
};

}  // namespace gantry::protocol
