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
                                        options_.file_bytes, options_.new_member_uuid, &created_);
  if (!hard_state) return std::unexpected(hard_state.error());
  hard_state_ = std::move(*hard_state);
  auto checkpoint = CheckpointFile::open(fs_, options_.raft_directory + "/checkpoint");
  if (!checkpoint) return std::unexpected(checkpoint.error());
  checkpoint_ = std::move(*checkpoint);
  const std::string boot_id = fs_.boot_id();
  same_boot_ = last_checkpoint() && !boot_id.empty() && last_checkpoint()->boot_id == boot_id;
  return {};
}

namespace {

bool only_voter(const raft::Membership& membership, const std::string& uuid) {
  return membership.voter_count() == 1 && membership.is_voter(uuid);
}

}  // namespace

// Rule 2. What a member acknowledged is in its page cache (ASYNC_FLUSH) or on its disk; the former
// survives the process, the latter the machine.
std::string Log::possible_loss(const ScanResult& scan) const {
  const auto& checkpoint = last_checkpoint();
  const LogPosition known = checkpoint ? checkpoint->durable : LogPosition(0);
  if (!scan.damaged.empty()) {
    return fmt::format("the log is damaged at {} ({})", scan.damaged.front().from.v,
                       scan.damaged.front().reason);
  }
  if (scan.end < known) {
    return fmt::format("the log ends at {} although {} was synced", scan.end.v, known.v);
  }
  // Torn by the end of the process, or rotten: only the former was never acknowledged.
  if (scan.garbage_behind_end)
    return fmt::format("the log's end does not verify ({})", scan.end_reason);
  if (created_ || same_boot_ || (checkpoint && checkpoint->clean)) return {};
  if (!checkpoint && scan.end == files_->begin()) return {};
  if (checkpoint && !checkpoint->async_flush) return {};
  return "the machine went down without a clean stop";
}

Result<RecoveredLog> Log::recover(LogPosition from, EpochTable epochs,
                                  raft::MembershipLog::Entry membership,
                                  LogPosition known_committed, LogListener& listener) {
  listener_ = &listener;
  epochs_ = std::move(epochs);
  RecoveredLog result;
  result.memberships.reset(std::move(membership));
  bool alone = only_voter(result.memberships.current(), member_uuid());
  const bool always_alone = alone;
  bool stopped = false;
  ScanOptions options;
  // The files may end before that: a snapshot was being installed in their place.
  options.from = std::min(std::max(from, files_->begin()), files_->end());
  options.record_bytes_max = std::max<std::int64_t>(options_.record_bytes_max, 16 << 20);
  if (last_checkpoint()) options.durable = last_checkpoint()->durable;
  options.on_damage = [&](const DamagedRange& d) {
    logger.warn("the log is damaged from={} to={} reason={}", d.from.v, d.to.v, d.reason);
    if (!always_alone) stopped = true;  // others can be asked: nothing behind a hole counts
  };
  options.writes_lost = !same_boot_;
  LogPosition applied = options.from;
  auto scan =
      scan_log(*files_, options, epochs_, [&](const protocol::RecordView& record) -> Result<void> {
        const LogPosition end = record.position + record.total_size;
        if (internal_kind(record) == InternalRecord::kMembership) {
          auto body = raft::Membership::decode(record.body);
          if (!body) return std::unexpected(body.error());
          // Of a group that has begun again since then: it says nothing any more.
          const raft::Kinship kin =
              raft::kinship(result.memberships.all().front().membership, *body);
          if (kin == raft::Kinship::kSame || kin == raft::Kinship::kNewer) {
            alone = alone && only_voter(*body, member_uuid());
            result.memberships.add({record.position, end, std::move(*body)});
          }
        }
        stopped = stopped || !(alone || end <= known_committed);
        if (stopped) return {};
        applied = end;
        return listener_->apply(record);
      });
  if (!scan) return std::unexpected(scan.error());
  result.loss = possible_loss(*scan);
  LogPosition end = scan->records_end;  // a blank with nothing behind it belongs to no term yet
  if (!always_alone && !scan->damaged.empty()) end = scan->damaged.front().from;
  if (scan->garbage_behind_end || end < scan->end) {
    logger.warn("cutting the torn end of the log at={} reason={}", end.v,
                scan->end_reason.empty() ? "nothing complete behind it" : scan->end_reason);
    GANTRY_TRY(files_->cut(end));
    epochs_.cut(end);
    result.memberships.cut(end);
  }
  if (last_checkpoint() && end < last_checkpoint()->durable) {
    logger.warn("the log ends at {} although {} was synced: {} bytes at its end are lost", end.v,
                last_checkpoint()->durable.v, last_checkpoint()->durable - end);
  }
  scan->end = end;
  end_ = written_ = end;
  applied_ = committed_ = stopped ? applied : end;
  durable_ = last_checkpoint() ? std::min(last_checkpoint()->durable, end) : LogPosition(0);
  if (flush_mode_ == FlushMode::kSync) {
    // What is served as committed from here on must not need the page cache that it was read from.
    for (const auto& file : files_->files_in(durable_, end_)) GANTRY_TRY(file->sync());
    durable_ = end_;
  }
  last_store_time_ms_ = scan->last_store_timestamp_ms;
  reader_ = std::make_unique<LogReader>(loop_, *files_, options_.block_cache_bytes);
  result.committed = applied_;
  result.memberships.commit(applied_);
  result.scan = std::move(*scan);
  return result;
}

Result<void> Log::start(LogDriver& driver) {
  // The current file and one in reserve.
  while (files_->end() < files_->file_start(end_) + 2 * files_->file_bytes()) {
    if (auto extended = files_->extend(); !extended) {
      const bool usable = files_->end() > end_ + (64 << 10);
      if (extended.error().code != ErrorCode::kDiskFull || !usable) return extended;
      logger.warn("no space for a reserve file: {}", extended.error().message);
      break;
    }
  }
  flusher_ = std::make_unique<Flusher>(
      loop_, clock_, [this](const Error& error) { die("sync of the log failed", error); });
  upkeep_ = loop_.make_worker("log-upkeep");
  flush_timer_ = loop_.every(options_.flush_interval, [this] { request_flush(); });
  driver_ = &driver;
  return {};
}

}  // namespace gantry::replog
