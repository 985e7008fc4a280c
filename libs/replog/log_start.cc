// SPDX-License-Identifier: Apache-2.0
// The part of Log that runs once: opening, recovery, the first record of the term.
#include <fmt/core.h>

#include "log/log.h"
#include "replog/log.h"

namespace gantry::replog {
namespace {
log::Logger logger("replog");
}

Result<void> Log::open() {
  GANTRY_TRY(io::create_directories_durably(fs_, options_.raft_directory));
  auto files = LogFiles::open(fs_, {options_.commit_log_directory, options_.file_bytes});
  if (!files) return std::unexpected(files.error());
  files_ = std::move(*files);
  auto hard_state = HardStateFile::open(fs_, options_.raft_directory + "/hardstate",
                                        options_.file_bytes, &created_);
  if (!hard_state) return std::unexpected(hard_state.error());
  hard_state_ = std::move(*hard_state);
  auto checkpoint = CheckpointFile::open(fs_, options_.raft_directory + "/checkpoint");
  if (!checkpoint) return std::unexpected(checkpoint.error());
  checkpoint_ = std::move(*checkpoint);
  const std::string boot_id = fs_.boot_id();
  same_boot_ = last_checkpoint() && !boot_id.empty() && last_checkpoint()->boot_id == boot_id;
  return {};
}

Result<ScanResult> Log::recover(LogPosition from, EpochTable epochs, LogListener& listener) {
  listener_ = &listener;
  epochs_ = std::move(epochs);
  ScanOptions options;
  options.from = std::max(from, files_->begin());
  options.record_bytes_max = std::max<std::int64_t>(options_.record_bytes_max, 16 << 20);
  if (last_checkpoint()) options.durable = last_checkpoint()->durable;
  options.writes_lost = !same_boot_;
  auto scan = scan_log(*files_, options, epochs_, [&](const protocol::RecordView& record) {
    return listener_->apply(record);
  });
  if (!scan) return scan;
  for (const DamagedRange& d : scan->damaged) {
    logger.warn("the log is damaged and the range is skipped from={} to={} reason={}", d.from.v,
                d.to.v, d.reason);
  }
  if (scan->garbage_behind_end) {
    logger.warn("cutting the torn end of the log at={} reason={}", scan->end.v, scan->end_reason);
    GANTRY_TRY(files_->cut(scan->end));
  }
  const LogPosition known = last_checkpoint() ? last_checkpoint()->durable : LogPosition(0);
  if (scan->end < known) {
    logger.warn("the log ends at {} although {} was synced: {} bytes at its end are lost",
                scan->end.v, known.v, known - scan->end);
  }
  end_ = written_ = applied_ = committed_ = scan->end;
  durable_ = std::min(known, scan->end);
  if (options_.flush_mode == FlushMode::kSync) {
    // What is served as committed from here on must not need the page cache that it was read from.
    for (const auto& file : files_->files_in(durable_, end_)) GANTRY_TRY(file->sync());
    durable_ = end_;
  }
  last_store_time_ms_ = scan->last_store_timestamp_ms;
  reader_ = std::make_unique<LogReader>(shard_, *files_, options_.block_cache_bytes);
  return scan;
}

Result<void> Log::start_term(const protocol::RecordHost& store_host, LogPosition apache_from) {
  store_host_ = store_host;
  HardState state = hard_state_->state();
  state.term = Term(std::max(state.term.v, epochs_.last_term().v) + 1);
  state.voted_for = state.member_uuid;
  if (apache_from.v >= 0) {
    // The range was written under no term of ours: it gets one of its own, below the new one.
    epochs_.add({state.term, apache_from, true});
    ++state.term;
  }
  GANTRY_TRY(hard_state_->save(state));
  // The current file and one in reserve.
  while (files_->end() < files_->file_start(end_) + 2 * files_->file_bytes()) {
    if (auto extended = files_->extend(); !extended) {
      const bool usable = files_->end() > end_ + (64 << 10);
      if (extended.error().code != ErrorCode::kDiskFull || !usable) return extended;
      logger.warn("no space for a reserve file: {}", extended.error().message);
      break;
    }
  }
  commit_rule_ = std::make_unique<SingleMemberCommit>(options_.flush_mode);
  flusher_ = std::make_unique<Flusher>([this, alive = alive_](LogPosition position) {
    shard_.post([this, alive, position] {
      if (*alive) on_durable(position);
    });
  });
  upkeep_ = std::make_unique<runtime::Worker>("log-upkeep");
  started_ = true;
  TermStart start;
  start.term = state.term;
  start.leader_uuid = state.member_uuid;
  start.flush_mode = options_.flush_mode;
  start.apache_from = apache_from;
  GANTRY_TRY(append_internal(InternalRecord::kTermStart, start.encode()));
  flush_timer_ = shard_.every(options_.flush_interval, [this] { request_flush(); });
  logger.info("term {} begins at {}", state.term.v, end_.v);
  return {};
}

}  // namespace gantry::replog
