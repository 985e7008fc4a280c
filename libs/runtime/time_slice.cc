// SPDX-License-Identifier: Apache-2.0
#include "runtime/time_slice.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace gantry::runtime {
namespace {

// The kernel's struct sched_attr in its first version; its header cannot be used beside glibc's.
struct Attributes {
  std::uint32_t size = sizeof(Attributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;  // of an ordinary thread: its slice
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};
static_assert(sizeof(Attributes) == 48);
constexpr std::uint64_t kResetOnFork = 1;  // SCHED_FLAG_RESET_ON_FORK

bool get_attributes(Attributes& attributes) {
  return ::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) == 0;
}

}  // namespace

void set_time_slice(std::chrono::nanoseconds slice) {
  Attributes attributes;
  // Only threads of the ordinary class: whoever chose another one for us meant it.
  if (!get_attributes(attributes) || attributes.policy != SCHED_OTHER) return;
  // The flag would also take a negative nice value from threads that are started.
  attributes.flags = attributes.nice < 0 ? 0 : kResetOnFork;
  attributes.runtime_ns = static_cast<std::uint64_t>(slice.count());
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);  // refused: the usual slice is kept
}

std::chrono::nanoseconds time_slice() {
  Attributes attributes;
  if (!get_attributes(attributes)) return std::chrono::nanoseconds(0);
  return std::chrono::nanoseconds(attributes.runtime_ns);
}

}  // namespace gantry::runtime
