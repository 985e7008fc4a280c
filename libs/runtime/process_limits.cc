// SPDX-License-Identifier: Apache-2.0
#include "runtime/process_limits.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <string>

namespace gantry::runtime {
namespace {

std::optional<std::int64_t> read_number(const std::string& path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

std::optional<double> cpu_quota() {
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2) {
    std::string quota;
    double period = 0;
    if (v2 >> quota >> period && quota != "max" && period > 0) return std::stod(quota) / period;
    return std::nullopt;
  }
  const auto quota = read_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  const auto period = read_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (quota && period && *quota > 0 && *period > 0) {
    return static_cast<double>(*quota) / static_cast<double>(*period);
  }
  return std::nullopt;
}

}  // namespace

ProcessLimits process_limits() {
  ProcessLimits limits;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) limits.cpus = std::max(1, CPU_COUNT(&set));
  if (const auto quota = cpu_quota()) {
    limits.cpus = std::clamp(static_cast<int>(std::ceil(*quota)), 1, limits.cpus);
  }
  limits.memory_bytes = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  auto memory = read_number("/sys/fs/cgroup/memory.max");  // "max" does not parse: no limit
  if (!memory) memory = read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  if (memory && *memory > 0) limits.memory_bytes = std::min(limits.memory_bytes, *memory);
  return limits;
}

}  // namespace gantry::runtime
