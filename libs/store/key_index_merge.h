// SPDX-License-Identifier: Apache-2.0
// Merging of runs: one sequential pass over neighbouring runs with bounded memory (256 KiB per
// input). Worker thread only, except for cuts.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/result.h"
#include "store/key_index_run.h"

namespace gantry::store {

struct MergeJob {
  std::span<const RunPtr> inputs;                  // neighbours, in the order of their ranges
  std::uint32_t level = 0;                         // of the result
  LogRange keep{LogPosition(0), kLogPositionMax};  // entries outside are left out
  // Asked every few thousand entries; false abandons the merge.
  std::function<bool()> go_on;
};

struct MergeOutcome {
  Result<RunPtr> run;
  RunPtr damaged;  // the input that could not be read, if that is the error
  std::uint64_t bytes_written = 0;
};

// The result stands for the inputs' ranges up to keep.end. kUnavailable if abandoned.
MergeOutcome merge_runs(io::FileSystem& fs, const std::string& directory, const MergeJob& job);

}  // namespace gantry::store
