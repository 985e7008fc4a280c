// SPDX-License-Identifier: Apache-2.0
// The runs of one directory as a list ordered by range: loading, coverage, what to merge next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "store/key_index.h"
#include "store/key_index_run.h"

namespace gantry::store {

// In the order of their ranges, which do not overlap.
using RunList = std::vector<RunPtr>;

struct LoadedRuns {
  RunList runs;
  std::uint64_t damaged = 0;
};

// Reads the directory: removes temporary files, results of merges that were not cleaned up, and
// runs below `log_begin`; sets damaged runs aside. Fails if the directory cannot be read or
// changed.
Result<LoadedRuns> load_runs(io::FileSystem& fs, const std::string& directory,
                             LogPosition log_begin);

// Renames a damaged run to `*.damaged` and says so in the log.
void set_run_aside(io::FileSystem& fs, const std::string& directory, const std::string& path,
                   const std::optional<LogRange>& range, const Error& why);

// The first stretch at or behind `from` that no range covers: [begin, end), end = kLogPositionMax
// if nothing is covered behind it. `covered` in any order, without overlaps.
LogRange first_gap(std::vector<LogRange> covered, LogPosition from);

struct MergePlan {
  std::size_t first = 0;  // in the list
  std::size_t count = 0;
  std::uint32_t level = 0;  // of the result
};
// The lowest level of which `merge_fanout` runs lie together with no gap and nothing of a higher
// level between them; the oldest such stretch whose result stays within the limits. Runs of lower
// levels that lie before or among them (from gaps that were filled later) are taken along.
std::optional<MergePlan> plan_merge(const RunList& runs, const KeyIndexOptions& options);

}  // namespace gantry::store
