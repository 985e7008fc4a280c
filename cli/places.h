// SPDX-License-Identifier: Apache-2.0
// Places in a topic as people name them: queues ("broker-a:3") and positions ("earliest",
// "15m ago", "offset:100"), and the offsets they mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/broker.h"
#include "protocol/message_queue.h"

namespace gantry::cli {

struct QueueName {
  std::string broker;
  std::int32_t id = 0;
};
Result<QueueName> parse_queue_name(std::string_view text);

struct Place {
  enum class Kind : std::uint8_t { kEarliest, kLatest, kTime, kOffset };
  Kind kind = Kind::kEarliest;
  std::int64_t value = 0;  // of kTime in Unix ms, of kOffset
};
Result<Place> parse_place(std::string_view text, std::int64_t now_ms);

// The offset the place means in one queue; asks its broker.
Result<std::int64_t> offset_of(client::Broker& broker, const protocol::MessageQueue& queue,
                               const Place& place);

}  // namespace gantry::cli
