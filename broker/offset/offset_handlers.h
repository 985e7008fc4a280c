// SPDX-License-Identifier: Apache-2.0
// Consumer offsets (codes 14, 15) and offsets of queues (29 to 32). Log shard only.
#pragma once

#include "broker/core/context.h"
#include "broker/core/log_lookup.h"

namespace gantry::broker {

void register_offset_handlers(BrokerContext& context, Dispatcher& dispatcher);

// Code 29: the first offset whose store time is at or after `timestamp_ms` (lower), or the last at
// or before it (upper). RocketMQ's answers at both ends. Means nothing until `lookup` is complete.
enum class Boundary : std::uint8_t { kLower, kUpper };
QueueOffset offset_by_time(BrokerContext& context, LogLookup& lookup, std::string_view topic,
                           std::int32_t queue_id, std::int64_t timestamp_ms, Boundary boundary);

// Store time of the message at an offset; nullopt: none there, or `lookup` is not complete.
std::optional<std::int64_t> store_time_at(BrokerContext& context, LogLookup& lookup,
                                          std::string_view topic, std::int32_t queue_id,
                                          QueueOffset offset);

}  // namespace gantry::broker
