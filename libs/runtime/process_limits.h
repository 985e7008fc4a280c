// SPDX-License-Identifier: Apache-2.0
// What this process may use: CPUs and memory, cgroup v1 and v2 limits included. Read once at start.
#pragma once

#include <cstdint>

namespace gantry::runtime {

struct ProcessLimits {
  int cpus = 1;                   // rounded up from a quota
  std::int64_t memory_bytes = 0;  // the cgroup's limit, else the machine's memory
};

ProcessLimits process_limits();

}  // namespace gantry::runtime
