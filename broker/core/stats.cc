// SPDX-License-Identifier: Apache-2.0
#include "broker/core/stats.h"

#include <algorithm>

namespace gantry::broker {

void BrokerStats::count_put(std::string_view name, MessageType type, std::uint64_t record_bytes,
                            std::uint64_t body_bytes) {
  TopicStats& stats = topic(name);
  const auto t = static_cast<std::size_t>(type);
  ++stats.put_messages;
  stats.put_bytes += record_bytes;
  ++stats.put_by_type[t];
  const auto bucket = static_cast<std::size_t>(
      std::ranges::lower_bound(kSizeBounds, body_bytes) - kSizeBounds.begin());
  ++stats.size_buckets[t][bucket];
  stats.size_sum[t] += body_bytes;
  ++put_messages;
  put_bytes += record_bytes;
}

void BrokerStats::count_put_latency(std::int64_t ms, std::uint64_t messages) {
  const auto bucket =
      static_cast<std::size_t>(std::ranges::lower_bound(kPutBounds, ms) - kPutBounds.begin());
  put_latency[bucket] += messages;
  put_entire_time_max_ms = std::max(put_entire_time_max_ms, ms);
}

}  // namespace gantry::broker
