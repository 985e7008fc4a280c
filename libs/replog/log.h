// SPDX-License-Identifier: Apache-2.0
// The CommitLog as a replicated log. The leader's way of a record:
//
//   reserve() -> encode in place -> publish()          during a turn, many records
//   turn end: one pwritev per file                      = written
//   (SYNC_FLUSH) flusher: fdatasync                     = durable
//   CommitRule: written, durable -> commit
//   LogListener::apply() for each committed record, then on_committed()
//
// Nothing uncommitted is visible outside. Everything here runs on the log shard.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/types.h"
#include "io/file_system.h"
#include "protocol/record.h"
#include "raft/epoch_table.h"
#include "replog/checkpoint.h"
#include "replog/command_log.h"
#include "replog/commit_rule.h"
#include "replog/flusher.h"
#include "replog/hard_state.h"
#include "replog/internal_topic.h"
#include "replog/log_files.h"
#include "replog/log_reader.h"
#include "replog/recovery_scan.h"
#include "replog/tail_cache.h"
#include "runtime/shard.h"
#include "runtime/worker.h"

namespace gantry::replog {

// Who applies committed records: queues, index, state. Owned by the broker, outlives the log.
class LogListener {
 public:
  virtual ~LogListener() = default;
  // Every committed record once, in order; also during recovery. The views are valid during the
  // call. An error means this member cannot go on (a command above its feature level): the process
  // ends with it as the last line.
  virtual Result<void> apply(const protocol::RecordView& record) = 0;
  // After a batch of apply(): everything below `committed` is committed and applied.
  virtual void on_committed(LogPosition committed) = 0;
};

struct LogOptions {
  std::string commit_log_directory;
  std::string raft_directory;  // hard state and checkpoint
  std::int64_t file_bytes = 1LL << 30;
  FlushMode flush_mode = FlushMode::kAsync;
  std::chrono::milliseconds flush_interval{500};  // ASYNC_FLUSH
  std::size_t tail_cache_bytes = 128U << 20;
  std::size_t block_cache_bytes = 16U << 20;
  std::int64_t uncommitted_bytes_max = 64 << 20;
  std::int64_t record_bytes_max = 8 << 20;
};

enum class AppendKind : std::uint8_t { kMessage, kInternal };  // kInternal may use the reserve file

struct Reservation {
  LogPosition position;
  std::size_t size = 0;
  char* data = nullptr;
};

class Log final : public CommandLog, private runtime::TurnHook {
 public:
  Log(runtime::Shard& shard, io::FileSystem& fs, LogOptions options, Clock& clock);
  ~Log() override;

  // --- start, in this order ---------------------------------------------------------------------
  // Opens files, hard state and checkpoint.
  Result<void> open();
  bool created() const { return created_; }  // the store was empty of Gantry's files
  const std::optional<Checkpoint>& last_checkpoint() const { return checkpoint_->value(); }
  // The kernel has not restarted since the checkpoint was written: the page cache survived.
  bool same_boot() const { return same_boot_; }
  // Verifies and replays [from, end of the log) to `listener`; cuts a torn tail. `epochs`: as known
  // from the state snapshot. Ranges that are damaged but followed by valid records are reported and
  // skipped.
  Result<ScanResult> recover(LogPosition from, EpochTable epochs, LogListener& listener);
  // Starts the next term: hard state, term-start record, flusher. Then appends are taken.
  Result<void> start_term(const protocol::RecordHost& store_host,
                          LogPosition apache_from = LogPosition(-1));

  // --- appending (leader) -----------------------------------------------------------------------
  // Room for one record; its position is final. kDiskFull, kBusy (too much uncommitted),
  // kUnavailable (not started or stopping), kInvalidArgument (larger than record_bytes_max).
  Result<Reservation> reserve(std::size_t size, AppendKind kind = AppendKind::kMessage);
  void publish(const Reservation& reservation);
  // Rule 13: max(now, last), unless last is over 60 s ahead. One clock reading a turn.
  std::int64_t store_time_ms();
  void append_command(std::string body, Done done) override;
  const protocol::RecordHost& store_host() const { return store_host_; }

  // --- positions --------------------------------------------------------------------------------
  LogPosition begin() const { return files_->begin(); }
  LogPosition files_end() const { return files_->end(); }
  LogPosition end() const { return end_; }  // appended
  LogPosition written() const { return written_; }
  LogPosition durable() const { return durable_; }
  LogPosition committed() const { return committed_; }
  Term term() const { return hard_state_->state().term; }
  const std::string& member_uuid() const { return hard_state_->state().member_uuid; }
  const EpochTable& epochs() const { return epochs_; }
  FlushMode flush_mode() const { return options_.flush_mode; }
  std::int64_t file_bytes() const { return options_.file_bytes; }
  std::int64_t last_store_time_ms() const { return last_store_time_ms_; }
  bool accepting_messages() const { return started_ && !stopping_ && !disk_full_; }
  bool disk_full() const { return disk_full_; }
  // Set by retention when the disk is fuller than allowed: messages are refused with kDiskFull.
  void set_disk_full(bool full) { disk_full_ = full; }

  // --- reading ----------------------------------------------------------------------------------
  // The verified record at `position`, `size` bytes long. Only committed records. The view is valid
  // until the next call into the log.
  // kNotFound: below begin() or not committed. kCorrupt: rotten (logged, counted, never served).
  // *would_block: not in memory; fetch() it and ask again.
  Result<protocol::RecordView> read_record(LogPosition position, std::size_t size,
                                           bool* would_block);
  // The same without knowing the size. Blocks on the disk if it must; for rare requests by
  // position.
  Result<std::string> read_record_blocking(LogPosition position);
  void fetch(LogPosition position, std::size_t size, LogReader::Retry retry);
  // Store time of the record at `position`, without verifying the record; may wait for the disk.
  std::optional<std::int64_t> read_store_time_ms(LogPosition position) const;
  // Bytes as they are in the files; blocks. For start and for upkeep.
  Result<std::size_t> peek(LogPosition position, std::span<char> out) const;
  Result<ScanResult> scan(
      const ScanOptions& options, EpochTable& epochs,
      const std::function<Result<void>(const protocol::RecordView&)>& on_record) const;
  bool in_memory(LogPosition position) const;

  // --- upkeep -----------------------------------------------------------------------------------
  void flush();  // asks for a sync of what is written
  // The files that must be synced before anything that relies on [.., committed()) is made durable:
  // with ASYNC_FLUSH, committed records may be in the page cache only.
  std::vector<std::shared_ptr<io::File>> unsynced_files() const {
    return files_->files_in(durable_, committed_);
  }
  // What a checkpoint would say now; positions are limited to what is durable here.
  Checkpoint make_checkpoint(LogPosition queues_applied, LogPosition index_applied,
                             LogPosition index_from, bool clean) const;
  // Any thread, one at a time: durable when it returns.
  Result<void> save_checkpoint(const Checkpoint& checkpoint) {
    return checkpoint_->save(checkpoint);
  }
  Result<std::int64_t> trim(LogPosition position);  // deletes whole files below
  // Refuses appends, writes and syncs what is there. Blocks. After it only reading works.
  Result<void> stop();

  struct Stats {
    std::uint64_t records = 0, bytes = 0, writes = 0, rotten_reads = 0;
    std::int64_t syncs = 0, sync_us_total = 0;
  };
  Stats stats() const;
  const LogReader& reader() const { return *reader_; }
  const TailCache& tail_cache() const { return cache_; }

 private:
  struct PendingCommand {
    LogPosition end;
    Done done;
  };

  void on_turn_end() override;
  Result<void> roll(AppendKind kind);
  void write_pending();
  void advance_commit();
  void apply_committed();
  void on_durable(LogPosition position);
  void request_flush();
  void prepare_next_file();
  Result<void> append_internal(InternalRecord kind, std::string_view body);
  void fail_commands(const Error& error);
  [[noreturn]] void die(std::string_view what, const Error& error);

  runtime::Shard& shard_;
  io::FileSystem& fs_;
  const LogOptions options_;
  Clock& clock_;
  LogListener* listener_ = nullptr;

  std::unique_ptr<LogFiles> files_;
  std::unique_ptr<HardStateFile> hard_state_;
  std::unique_ptr<CheckpointFile> checkpoint_;
  std::unique_ptr<LogReader> reader_;
  std::unique_ptr<Flusher> flusher_;
  std::unique_ptr<CommitRule> commit_rule_;
  std::unique_ptr<runtime::Timer> flush_timer_;
  TailCache cache_;
  EpochTable epochs_;
  protocol::RecordHost store_host_;

  bool created_ = false, same_boot_ = false, started_ = false, stopping_ = false;
  bool disk_full_ = false;
  bool flush_running_ = false;
  bool extending_ = false;
  std::unique_ptr<runtime::Worker> upkeep_;
  LogPosition end_, written_, durable_, committed_, applied_, flush_requested_;
  std::int64_t turn_time_ms_ = 0;  // 0: not read yet this turn
  std::int64_t last_store_time_ms_ = 0;
  std::deque<PendingCommand> commands_;
  std::vector<io::Slice> slices_;
  Stats stats_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::replog
