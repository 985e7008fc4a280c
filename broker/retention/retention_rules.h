// SPDX-License-Identifier: Apache-2.0
// RocketMQ's rules for what may be deleted, as pure functions of configuration, disk and hour.
#pragma once

#include <cstdint>

#include "config/broker_config.h"

namespace gantry::broker {

enum class Reach : std::uint8_t {
  kNothing,  // not now
  kExpired,  // files whose messages are all older than fileReservedTime
  kOldest,   // those; if there are none, the oldest file whatever its age
};

// `used_percent`: of the log's disk; below 0 if it is not known. `hour`: local, 0 to 23.
// `at_any_hour`: a tool asks for it (code 329).
Reach retention_reach(const config::BrokerConfig& config, double used_percent, int hour,
                      bool at_any_hour);
// The disk is so full that messages are refused.
bool refuses_messages(const config::BrokerConfig& config, double used_percent);

}  // namespace gantry::broker
