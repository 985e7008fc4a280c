// SPDX-License-Identifier: Apache-2.0
// What this process may use: CPUs and memory, cgroup v1 and v2 limits included. Read once at start.
#pragma once

#include <cstdint>
#include <string>

namespace gantry::runtime {

struct ProcessLimits {
  int cpus = 1;                   // rounded up from a quota
  std::int64_t memory_bytes = 0;  // the cgroup's limit, else the machine's memory
  bool operator==(const ProcessLimits&) const = default;
};

ProcessLimits process_limits();

// `machine`, or what the cgroup whose files lie below `root` leaves of it. Files that are not there
// or say nothing that can be read limit nothing. A cgroup that has files of version 2 is not asked
// for those of version 1.
ProcessLimits within_cgroup(ProcessLimits machine, const std::string& root);

}  // namespace gantry::runtime
