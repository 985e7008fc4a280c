// SPDX-License-Identifier: Apache-2.0
#include "process/open_files.h"

#include <sys/resource.h>

#include "log/log.h"

namespace gantry::process {
namespace {
constexpr Logger kLog("process");
}

void raise_open_files_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) kLog.warn("the limit of open files cannot be raised");
}

}  // namespace gantry::process
