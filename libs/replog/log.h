// SPDX-License-Identifier: Apache-2.0
// The CommitLog of one member. It keeps bytes; what they mean to the group (who may append, what is
// committed, what has to be cut) is decided by its driver, the Replica. The leader's way of a
// record:
//
//   reserve() -> encode in place -> publish()          during a turn, many records
//   turn end: one pwritev per file                      = written
//   worker: fdatasync                                   = durable
//   LogDriver: written, durable -> commit_to()
//   LogListener::apply() for each committed record, then on_committed()
//
// A follower's way begins with accept() instead. Nothing uncommitted is visible outside. Everything
// here runs on the log shard.
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
#include "raft/membership.h"
#include "replog/checkpoint.h"
#include "replog/command_log.h"
#include "replog/durations.h"
#include "replog/flush_mode.h"
#include "replog/flusher.h"
#include "replog/hard_state.h"
#include "replog/internal_topic.h"
#include "replog/log_files.h"
#include "replog/log_range.h"
#include "replog/log_reader.h"
#include "replog/recovery_scan.h"
#include "replog/tail_cache.h"
#include "replog/zero_ahead.h"
#include "runtime/loop.h"

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

// Who decides about the log: told at the end of a turn what is in the files, and what is on disk.
// Owns or outlives the log.
class LogDriver {
 public:
  virtual ~LogDriver() = default;
  virtual void on_written(LogPosition written) = 0;
  virtual void on_durable(LogPosition durable) = 0;
  // Everything below is applied and visible.
  virtual void on_applied(LogPosition applied) = 0;
  // Retention removed the log below.
  virtual void on_trimmed(LogPosition begin) = 0;
};

struct LogOptions {
  std::string commit_log_directory;
  std::string raft_directory;  // hard state and checkpoint
  std::int64_t file_bytes = 1LL << 30;
  FlushMode flush_mode = FlushMode::kAsync;       // what a term that this member begins will say
  std::chrono::milliseconds flush_interval{500};  // ASYNC_FLUSH
  std::size_t tail_cache_bytes = 128U << 20;
  std::size_t block_cache_bytes = 16U << 20;
  std::int64_t uncommitted_bytes_max = 64 << 20;
  std::int64_t record_bytes_max = 8 << 20;
  std::string new_member_uuid = make_member_uuid();  // of a store that is new
  // Called with the last words when the process must not go on (a failed write or sync of the log,
  // a record that cannot be applied); must not return. Default: logs and exits with 70.
  std::function<void(const std::string&)> fatal;
};

// What recover() found. Records up to `committed` have been applied.
struct RecoveredLog {
  ScanResult scan;
  LogPosition committed;
  raft::MembershipLog memberships;
  // Why bytes that this member has acknowledged may be missing from its log; empty: none can be.
  std::string loss;
};

enum class AppendKind : std::uint8_t { kMessage, kInternal };  // kInternal may use the reserve file

struct Reservation {
  LogPosition position;
  std::size_t size = 0;
  char* data = nullptr;
};

class Log final : public CommandLog, private runtime::TurnHook {
 public:
  Log(runtime::Loop& loop, io::FileSystem& fs, LogOptions options, Clock& clock);
  ~Log() override;

  // --- start, in this order ---------------------------------------------------------------------
  // Opens files, hard state and checkpoint.
  Result<void> open();
  bool created() const { return created_; }  // the store was empty of Gantry's files
  const std::optional<Checkpoint>& last_checkpoint() const { return checkpoint_->value(); }
  // The kernel has not restarted since the checkpoint was written: the page cache survived.
  bool same_boot() const { return same_boot_; }
  // Verifies [from, end of the log), cuts a torn tail, and replays to `listener` what is committed:
  // everything below `known_committed`, and all that was written while this member was the only
  // voter. `epochs` and `membership`: as known from the state snapshot, or the membership that the
  // group began with. A range that is damaged but
  // followed by valid records is reported; a member that has others to ask is cut there.
  Result<RecoveredLog> recover(LogPosition from, EpochTable epochs,
                               raft::MembershipLog::Entry membership, LogPosition known_committed,
                               LogListener& listener);
  // Makes room for appends, starts the threads. `driver` is told from now on.
  Result<void> start(LogDriver& driver);

  // --- appending (leader) -----------------------------------------------------------------------
  struct TermBegin {
    LogPosition start, end;  // of the term: its blank, if any, and its record
  };
  // Appends the term-start record of `term`; from now on appends are taken.
  Result<TermBegin> begin_term(Term term, const protocol::RecordHost& store_host,
                               LogPosition apache_from = LogPosition(-1));
  // Appends are refused from now on; commands that wait get `why`.
  void end_term(const Error& why);
  bool leading() const { return leading_; }
  // Messages and commands are taken: the term's first record is applied, leadership is not being
  // handed over. False after every change of leadership.
  void set_accepting(bool accepting) { accepting_ = accepting; }
  // Room for one record; its position is final. kDiskFull, kBusy (too much uncommitted),
  // kUnavailable (not the leader, or stopping), kInvalidArgument (larger than record_bytes_max).
  Result<Reservation> reserve(std::size_t size, AppendKind kind = AppendKind::kMessage);
  void publish(const Reservation& reservation);
  // Rule 13: max(now, last), unless last is over 60 s ahead. One clock reading a turn.
  std::int64_t store_time_ms();
  void append_command(std::string body, Done done) override;
  // The membership as a record: where it stands.
  Result<raft::MembershipLog::Entry> append_membership(const raft::Membership& membership);
  const protocol::RecordHost& store_host() const { return store_host_; }

  // --- following --------------------------------------------------------------------------------
  // The files for bytes up to `end` are there or can be made (kDiskFull).
  Result<void> make_room(LogPosition end);
  // Takes [from, to) out of `range`, which has been verified; `from` is end(). There is room. The
  // flush mode follows the term.
  void accept(LogPosition from, LogPosition to, const LogRange& range);
  // Everything from `position` on is void: zeroed and synced when it returns.
  Result<void> cut(LogPosition position);
  // Forgets the whole log; it goes on at `begin`, a multiple of the file size.
  Result<void> restart_at(LogPosition begin, EpochTable epochs);

  // --- driving ----------------------------------------------------------------------------------
  // Everything below `position` is committed. Applies what is written of it.
  void commit_to(LogPosition position);
  // The largest end of a record in (from, from + bytes_max], or the end of the first one; a blank
  // and the record behind it are one. Only from memory; nullopt: not there.
  std::optional<LogPosition> bound_in_memory(LogPosition from, std::int64_t bytes_max) const;
  // [from, to) as sent to members (a blank as its 8 bytes), from memory; valid until the next call.
  void collect(LogPosition from, LogPosition to, std::vector<io::Slice>& out) const;
  HardStateFile& hard_state() { return *hard_state_; }
  const LogFiles& files() const { return *files_; }
  runtime::Loop& loop() { return loop_; }
  [[noreturn]] void die(std::string_view what, const Error& error);

  // --- positions --------------------------------------------------------------------------------
  LogPosition begin() const { return files_->begin(); }
  LogPosition files_end() const { return files_->end(); }
  LogPosition end() const { return end_; }  // appended
  LogPosition written() const { return written_; }
  LogPosition durable() const { return durable_; }
  LogPosition committed() const { return applied_; }  // committed and applied here
  Term term() const { return hard_state_->state().term; }
  const std::string& member_uuid() const { return hard_state_->state().member_uuid; }
  const EpochTable& epochs() const { return epochs_; }
  FlushMode flush_mode() const { return flush_mode_; }
  std::int64_t file_bytes() const { return options_.file_bytes; }
  std::int64_t last_store_time_ms() const { return last_store_time_ms_; }
  bool accepting_messages() const { return leading_ && accepting_ && !stopping_ && !disk_full_; }
  bool disk_full() const { return disk_full_; }
  // Set by retention when the disk is fuller than allowed: messages are refused with kDiskFull.
  void set_disk_full(bool full) { disk_full_ = full; }
  // SYNC_FLUSH: LogDriver::on_durable() for what is written comes by itself.
  bool sync_follows() const {
    return flusher_ != nullptr && flush_mode_ == FlushMode::kSync && durable_ < written_;
  }
  // A sync has been running for this long; 0: none is.
  std::int64_t sync_running_us() const;

  // --- reading ----------------------------------------------------------------------------------
  // The verified record at `position`, `size` bytes long. Only committed records. The view is valid
  // until the next call into the log.
  // kNotFound: below begin() or not committed. kCorrupt: rotten (logged, counted, never served).
  // *would_block: not in memory; fetch() it and ask again.
  Result<protocol::RecordView> read_record(LogPosition position, std::size_t size,
                                           bool* would_block);
  // The same without knowing the size. `missing`: what to fetch() if it is not in memory (kBusy).
  struct Missing {
    LogPosition position;
    std::size_t size = 0;
    auto operator<=>(const Missing&) const = default;
  };
  Result<protocol::RecordView> find_record(LogPosition position, std::optional<Missing>* missing);
  // Store time of the record at `position`, without verifying the record. nullopt: there is none,
  // or see `missing`.
  std::optional<std::int64_t> find_store_time_ms(LogPosition position,
                                                 std::optional<Missing>* missing) const;
  void fetch(LogPosition position, std::size_t size, LogReader::Retry retry);
  // As find_record, but waits for the disk; for tools and tests.
  Result<std::string> read_record_blocking(LogPosition position);
  // Bytes as they are in the files; blocks. For start and for upkeep.
  Result<std::size_t> peek(LogPosition position, std::span<char> out) const;
  Result<ScanResult> scan(
      const ScanOptions& options, EpochTable& epochs,
      const std::function<Result<void>(const protocol::RecordView&)>& on_record) const;
  bool in_memory(LogPosition position) const;

  // --- upkeep -----------------------------------------------------------------------------------
  void flush();  // asks for a sync of what is written
  // A sync whose end is awaited elsewhere: begun on the shard, run on any thread.
  struct SyncWork {
    std::vector<std::shared_ptr<io::File>> files;
  };
  SyncWork begin_sync() const { return {files_->files_in(durable_, written_)}; }
  void run_sync(const SyncWork& work);
  // What a checkpoint would say now; positions are limited to what is durable here.
  Checkpoint make_checkpoint(LogPosition queues_applied, LogPosition index_applied,
                             LogPosition index_from, bool clean) const;
  // Any thread, one at a time: durable when it returns.
  Result<void> save_checkpoint(const Checkpoint& checkpoint) {
    return checkpoint_->save(checkpoint);
  }
  Result<std::int64_t> trim(LogPosition position);  // deletes whole files below
  // Refuses appends, writes and syncs what is there, tells the driver. Blocks. After it only
  // reading works.
  Result<void> stop();

  struct Stats {
    std::uint64_t records = 0, bytes = 0, writes = 0, rotten_reads = 0;
    Durations syncs;
    Durations commits;  // of what this member wrote as leader, a turn at a time, until applied
  };
  Stats stats() const;
  const LogReader& reader() const { return *reader_; }
  const TailCache& tail_cache() const { return cache_; }

 private:
  struct PendingCommand {
    LogPosition end;
    Done done;
  };

  Result<std::string_view> find_head(LogPosition position, std::size_t size,
                                     std::optional<Missing>* missing) const;
  void on_turn_end() override;
  Result<void> roll(AppendKind kind);
  void write_pending();
  void apply_committed();
  bool apply_from_memory(LogPosition to);
  void apply_from_files(LogPosition to);
  void count_commits();
  void apply_one(const protocol::RecordView& record);
  void on_durable(LogPosition position, std::uint64_t cuts);
  void request_flush();
  bool flush_due() const;
  void prepare_next_file();
  Result<LogPosition> append_internal(InternalRecord kind, std::string_view body);
  void fail_commands(const Error& error);
  std::string possible_loss(const ScanResult& scan) const;
  std::optional<LogPosition> unit_end(LogPosition position) const;

  runtime::Loop& loop_;
  io::FileSystem& fs_;
  const LogOptions options_;
  Clock& clock_;
  LogListener* listener_ = nullptr;
  LogDriver* driver_ = nullptr;

  std::unique_ptr<LogFiles> files_;
  std::unique_ptr<HardStateFile> hard_state_;
  std::unique_ptr<CheckpointFile> checkpoint_;
  std::unique_ptr<LogReader> reader_;
  std::unique_ptr<Flusher> flusher_;
  std::unique_ptr<runtime::Timer> flush_timer_;
  TailCache cache_;
  EpochTable epochs_;
  protocol::RecordHost store_host_;
  FlushMode flush_mode_;

  bool created_ = false, same_boot_ = false, leading_ = false, accepting_ = false;
  bool stopping_ = false;
  bool disk_full_ = false;
  bool extending_ = false;
  bool applying_ = false, apply_posted_ = false;
  std::unique_ptr<runtime::TaskRunner> upkeep_;
  LogPosition end_, written_, durable_, committed_, applied_;
  LogPosition sync_asked_;  // a sync up to here is under way or done
  LogPosition flush_to_;    // a membership, which waits for the disk in every mode, ends here
  std::uint64_t cuts_ = 0;  // a sync that began before a cut says nothing about what came after
  struct Uncommitted {
    LogPosition end;
    std::int64_t since_us;
  };
  std::deque<Uncommitted> uncommitted_;  // one entry a turn, leader only
  std::int64_t turn_time_ms_ = 0;        // 0: not read yet this turn
  std::int64_t last_store_time_ms_ = 0;
  std::deque<PendingCommand> commands_;
  std::vector<io::Slice> slices_;
  ZeroAhead zero_ahead_;
  Stats stats_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::replog
