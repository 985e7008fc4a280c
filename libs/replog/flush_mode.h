// SPDX-License-Identifier: Apache-2.0
// When an append counts as stored on a member: RocketMQ's flushDiskType.
#pragma once

#include <cstdint>

namespace gantry::replog {

enum class FlushMode : std::uint8_t { kAsync, kSync };

}  // namespace gantry::replog
