// SPDX-License-Identifier: Apache-2.0
// Time as an interface, so that tests and the simulator own it. Leaders decide with it; applying a
// committed record never reads it.
#pragma once

#include <cstdint>

namespace gantry {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t wall_ms() const = 0;    // Unix epoch milliseconds; may step
  virtual std::int64_t steady_us() const = 0;  // monotonic microseconds
};

// The machine's clock. Stateless; usable from every thread.
Clock& system_clock();

}  // namespace gantry
