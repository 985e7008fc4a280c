// SPDX-License-Identifier: Apache-2.0
// Reads the log forward from a position, verifies every record and hands the valid ones on. Tells
// where the log ends and which ranges inside it are damaged. Used at start and by `gantry log`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "protocol/record.h"
#include "raft/epoch_table.h"
#include "replog/log_files.h"

namespace gantry::replog {

using raft::Epoch;
using raft::EpochTable;

struct DamagedRange {
  LogPosition from;
  LogPosition to;  // the next valid record starts here
  std::string reason;
};

struct ScanResult {
  LogPosition end;                    // behind the last valid record or blank
  LogPosition records_end;            // behind the last valid record
  std::vector<DamagedRange> damaged;  // inside [from, end)
  bool garbage_behind_end = false;    // bytes that are not zero follow the end
  std::string end_reason;             // why the scan ended there; empty: only zeros follow
  std::int64_t records = 0;
  std::int64_t last_store_timestamp_ms = 0;
};

struct ScanOptions {
  LogPosition from;
  LogPosition to{INT64_MAX};  // do not read at or beyond
  std::int64_t record_bytes_max = 16 << 20;
  // Known to have been synced: a search for records behind damage goes at least this far. Beyond
  // it, zeros end the search: 64 KiB of them where the log seems to end, a few MiB behind damage.
  LogPosition durable{0};
  // Told of a damaged range when the valid record behind it has been found, before that record.
  std::function<void(const DamagedRange&)> on_damage;
  // Writes that were not synced may be lost in any order (the machine went down), so zeros prove
  // nothing: the search always goes to the end of the files.
  bool writes_lost = false;
  // Look for valid records behind a bad one (position and checksum identify them).
  bool resynchronise = true;
};

// `epochs` decides how records are verified and grows with the term starts that are found.
// `on_record` may be empty; an error from it ends the scan with that error.
Result<ScanResult> scan_log(
    const LogFiles& files, const ScanOptions& options, EpochTable& epochs,
    const std::function<Result<void>(const protocol::RecordView&)>& on_record);

// The checks a record at `position` must pass: lengths, own position, checksum as its epoch wants
// it.
Result<protocol::RecordView> verify_record(std::string_view bytes, LogPosition position,
                                           const EpochTable& epochs);

}  // namespace gantry::replog
