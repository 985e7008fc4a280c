// SPDX-License-Identifier: Apache-2.0
// What the parts of a broker take of the memory that the process may use. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "config/broker_config.h"

namespace gantry::broker {

// tailCacheBytes, or what its 0 stands for.
inline std::size_t tail_cache_bytes(const config::BrokerConfig& config, std::int64_t memory_bytes) {
  constexpr std::int64_t kMax = 128 << 20;
  const std::int64_t chosen = config.tail_cache_bytes;
  return static_cast<std::size_t>(chosen > 0 ? chosen : std::min(kMax, memory_bytes / 4));
}

// How far behind the end of the log messages count as being in memory.
inline std::int64_t in_memory_bytes(const config::BrokerConfig& config, std::int64_t memory_bytes) {
  return memory_bytes / 100 * config.access_message_in_memory_max_ratio;
}

}  // namespace gantry::broker
