// SPDX-License-Identifier: Apache-2.0
#include "runtime/process_limits.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>

namespace gantry::runtime {
namespace {

template <class Number>
std::optional<Number> read_number(std::istream&& file) {
  Number value{};
  if (file >> value && value > 0) return value;  // "max" and -1: no limit
  return std::nullopt;
}

std::optional<double> cpu_quota(const std::string& root) {
  if (std::ifstream v2(root + "/cpu.max"); v2) {
    double quota = 0, period = 0;
    if (v2 >> quota >> period && quota > 0 && period > 0) return quota / period;
    return std::nullopt;
  }
  const auto quota = read_number<double>(std::ifstream(root + "/cpu/cpu.cfs_quota_us"));
  const auto period = read_number<double>(std::ifstream(root + "/cpu/cpu.cfs_period_us"));
  if (quota && period) return *quota / *period;
  return std::nullopt;
}

std::optional<std::int64_t> memory_limit(const std::string& root) {
  if (std::ifstream v2(root + "/memory.max"); v2) {
    return read_number<std::int64_t>(std::move(v2));
  }
  return read_number<std::int64_t>(std::ifstream(root + "/memory/memory.limit_in_bytes"));
}

}  // namespace

ProcessLimits within_cgroup(ProcessLimits machine, const std::string& root) {
  if (const auto quota = cpu_quota(root)) {
    machine.cpus = static_cast<int>(std::clamp<double>(std::ceil(*quota), 1, machine.cpus));
  }
  if (const auto memory = memory_limit(root)) {
    machine.memory_bytes = std::min(machine.memory_bytes, *memory);
  }
  return machine;
}

ProcessLimits process_limits() {
  ProcessLimits machine;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) machine.cpus = std::max(1, CPU_COUNT(&set));
  machine.memory_bytes = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  return within_cgroup(machine, "/sys/fs/cgroup");
}

}  // namespace gantry::runtime
