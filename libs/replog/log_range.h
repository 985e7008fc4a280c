// SPDX-License-Identifier: Apache-2.0
// A piece of the log on its way between members: [from, to) as records, with a blank as its 8
// bytes. A range never ends behind a blank. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "protocol/record.h"
#include "raft/epoch_table.h"
#include "raft/membership.h"
#include "replog/flush_mode.h"

namespace gantry::replog {

// Views into the bytes that were verified.
struct LogRange {
  LogPosition from, to;
  // Runs of whole records (a blank is the last 8 bytes of its run), each within one file.
  struct Run {
    LogPosition position;
    std::string_view bytes;
  };
  std::vector<Run> runs;
  std::vector<raft::MembershipLog::Entry> memberships;
  std::vector<raft::Epoch> epochs;  // that start in it
  std::int64_t last_store_time_ms = 0;
  std::optional<FlushMode> flush_mode;  // of the last term that starts in it
};

// Checks that `bytes` is [from, to) of a log: lengths, positions, checksums, blanks, and that the
// term-start records say what `epochs` (as sent beside it) says. kCorrupt names the first thing
// that does not fit. `epochs_before`: of the log below `from`, as the sender has it.
Result<LogRange> verify_range(std::string_view bytes, LogPosition from, LogPosition to,
                              std::int64_t file_bytes, const std::vector<raft::Epoch>& epochs,
                              bool apache_before);

}  // namespace gantry::replog
