// SPDX-License-Identifier: Apache-2.0
// Shows whether a thread makes progress: it says when it begins to work on something, goes on, and
// waits. Written by that thread, read by any.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace gantry::sidecar {

class Pulse {
 public:
  void beat() { busy_since_us_ = system_clock().steady_us(); }
  void rest() { busy_since_us_ = 0; }
  // Since the last sign of progress; 0 while it waits.
  std::int64_t silent_us() const {
    const std::int64_t since = busy_since_us_;
    return since == 0 ? 0 : system_clock().steady_us() - since;
  }

 private:
  std::atomic<std::int64_t> busy_since_us_{0};
};

}  // namespace gantry::sidecar
