// SPDX-License-Identifier: Apache-2.0
// Everything of a broker that is on disk: the log and its replica, the replicated state with its
// snapshots, consume queues and key index, and how they are opened, kept in step, checkpointed and
// closed. Applies committed records. Log shard only, except where noted.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "broker/core/delay_levels.h"
#include "broker/core/record_facts.h"
#include "config/broker_config.h"
#include "io/file_system.h"
#include "replog/log.h"
#include "replog/replica.h"
#include "runtime/loop.h"
#include "state/offset_manager.h"
#include "state/proposals.h"
#include "state/snapshot_store.h"
#include "state/state_machine.h"
#include "state/system_topics.h"
#include "store/apache_index.h"
#include "store/key_index.h"
#include "store/queue_store.h"

namespace gantry::broker {

// Told of committed messages and of positions, on the shard. Owned by whoever registers.
class CommitObserver {
 public:
  virtual ~CommitObserver() = default;
  // A message became visible in (topic, queue_id) at `offset`.
  virtual void on_message(const protocol::RecordView& /*record*/, std::int64_t /*tags_code*/) {}
  // Everything below is committed, applied and visible.
  virtual void on_committed(LogPosition /*position*/) {}
};

// Told of this member's role in its broker set, on the shard. Owned by whoever registers.
class RoleObserver {
 public:
  virtual ~RoleObserver() = default;
  // It leads, and may decide: everything before its term is applied.
  virtual void on_leading(Term /*term*/) {}
  // It does not any more. What was not committed may vanish.
  virtual void on_following() {}
  // Role, leader, term or membership are not what they were.
  virtual void on_group_changed() {}
};

class Storage final : public replog::LogListener,
                      public replog::ReplicaListener,
                      private state::StateMachine::Listener {
 public:
  // May change the options of the log and of its replica before they are made; tests and the
  // simulator use it.
  using TuneLog = std::function<void(replog::LogOptions&)>;
  using TuneReplica = std::function<void(replog::ReplicaOptions&)>;
  Storage(runtime::Loop& shard, io::FileSystem& fs, const config::BrokerConfig& config,
          Clock& clock, TuneLog tune = {}, TuneReplica tune_replica = {});
  ~Storage() override;

  // Takes the lock, opens and recovers. Runs before the shard does or on it; blocks.
  Result<void> open();
  // Starts the replica. A group of one leads when its first record is applied, at the end of this
  // turn (ASYNC_FLUSH) or when it is synced. `store_host` goes into records; `transport` outlives
  // this object.
  Result<void> start(const protocol::RecordHost& store_host, replog::PeerTransport& transport);
  // Writes everything out and leaves the directory as Apache RocketMQ expects a cleanly stopped
  // one.
  Result<void> stop();

  replog::Log& log() { return *log_; }
  replog::Replica& replica() { return *replica_; }
  // This member leads its broker set and may decide.
  bool leading() const { return replica_ && replica_->leading(); }
  // ... and is not handing over.
  bool accepting() const { return replica_ && replica_->accepting(); }
  // As far as the state knows: this member is the only voter of its set. Also before start().
  bool alone() const;
  store::QueueStore& queues() { return *queues_; }
  store::KeyIndex* index() { return index_.get(); }
  const state::StateMachine& state() const { return state_; }
  state::StateMachine& state() { return state_; }
  state::Proposals& proposals() { return *proposals_; }
  state::OffsetManager& offsets() { return *offsets_; }
  const state::SystemTopics& system_topics() const { return system_topics_; }
  const DelayLevels& delay_levels() const { return delay_levels_; }

  void add_observer(CommitObserver& observer) { observers_.push_back(&observer); }
  void remove_observer(CommitObserver& observer) { std::erase(observers_, &observer); }
  void add_role_observer(RoleObserver& observer) { roles_.push_back(&observer); }
  void remove_role_observer(RoleObserver& observer) { std::erase(roles_, &observer); }
  void add_state_listener(state::StateMachine::Listener& listener) {
    state_.add_listener(&listener);
  }

  // Queue entries, snapshot and checkpoint to disk, on the upkeep thread; one at a time. Then
  // deletes log files that a trim allows.
  void checkpoint();
  // Asks for removal of whole log files below `position`; `done` when applied.
  void propose_trim(LogPosition position, state::Proposals::Done done);

  bool recovered_from_apache() const { return apache_import_; }
  const replog::ScanResult& recovery() const { return recovery_; }
  const std::string& root() const { return config_.store_path_root_dir; }

  // replog::LogListener
  Result<void> apply(const protocol::RecordView& record) override;
  void on_committed(LogPosition committed) override;

  // replog::ReplicaListener
  void on_leading(Term term) override;
  void on_following() override;
  void on_group_changed() override;
  void provide_snapshot(LogPosition at_least, SnapshotDone done) override;
  Result<void> install_snapshot(LogPosition begin, std::string_view snapshot) override;

 private:
  void on_topics_changed(std::span<const std::string> names) override;
  void on_trim(LogPosition position) override;

  Result<void> check_foreign_store() const;
  Result<void> load_snapshot();
  raft::Membership initial_membership() const;
  // What counts before the log has been read: of the snapshot, of a recovery of the group that the
  // snapshot does not know yet, or of the begin.
  raft::MembershipLog::Entry known_membership() const;
  Result<void> remember_being_alone();
  void start_timers();
  Result<void> follow_log_end();
  Result<LogPosition> choose_replay_start();
  Result<LogPosition> apache_replay_start() const;
  // Where RocketMQ's checkpoint file keeps store times in milliseconds.
  static constexpr std::size_t kApacheLogTimeAt = 0;
  static constexpr std::size_t kApacheQueuesTimeAt = 8;
  static constexpr std::size_t kApacheIndexTimeAt = 16;
  std::int64_t apache_checkpoint_time_ms(std::size_t at) const;
  Result<void> apply_internal(const protocol::RecordView& record, LogPosition end);
  void apply_message(const protocol::RecordView& record, LogPosition end);
  bool apply_step(const protocol::RecordView& record, LogPosition end);
  // storage_index.cc
  void open_index(LogPosition replay_from, bool taken_over_now);
  std::shared_ptr<store::ApacheIndex> open_apache_index(bool taken_over_now) const;
  void put_keys(const protocol::RecordView& record, const RecordFacts& facts);
  void pump_index();
  // What one checkpoint writes: gathered on the shard, written by the upkeep thread.
  struct CheckpointWork {
    LogPosition position;
    std::string snapshot;  // empty: the newest one is of this position
    store::QueueStore::SyncWork queues;
    replog::Log::SyncWork log;
    replog::Checkpoint record;
  };
  Result<CheckpointWork> begin_checkpoint(bool clean);
  std::string encode_state();
  Result<void> run_checkpoint(const CheckpointWork& work);
  void end_checkpoint(const CheckpointWork& work);
  void trim_files();
  void remove_unknown_queues();
  Result<void> read_apache_config();
  void import_apache_config();
  // storage_transactions.cc
  void for_each_record(std::string_view topic, std::optional<QueueOffset> from,
                       const std::function<void(const protocol::RecordView&)>& visit);
  std::vector<state::OpenTransaction> open_in_apache_store(const state::ImportedState& config);
  Result<void> write_apache_files();
  void create_system_topics();
  std::string path(const char* name) const;

  runtime::Loop& shard_;
  io::FileSystem& fs_;
  const config::BrokerConfig& config_;
  Clock& clock_;
  const TuneLog tune_;
  const TuneReplica tune_replica_;
  state::SystemTopics system_topics_;
  DelayLevels delay_levels_;

  std::shared_ptr<void> lock_;
  state::StateMachine state_;
  std::unique_ptr<state::SnapshotStore> snapshots_;
  std::unique_ptr<replog::Log> log_;
  std::unique_ptr<replog::Replica> replica_;
  std::unique_ptr<store::QueueStore> queues_;
  std::unique_ptr<store::KeyIndex> index_;
  std::unique_ptr<state::OffsetManager> offsets_;
  std::unique_ptr<state::Proposals> proposals_;

  std::vector<CommitObserver*> observers_;
  std::vector<RoleObserver*> roles_;
  replog::RecoveredLog recovered_;
  replog::ScanResult recovery_;
  LogPosition queues_loaded_;  // queue files were complete up to here when loaded
  LogPosition applying_end_;   // end of the record being applied
  LogPosition trim_wanted_;
  LogPosition index_from_;  // RocketMQ's index files answer for records below
  bool index_due_ = false;  // the record being applied is the next one that the index wants
  LogPosition apache_range_from_{-1};
  bool apache_import_ = false;
  std::optional<state::ImportedState> apache_config_;  // read, not proposed yet
  bool live_ = false;                                  // recovery is over
  bool started_ = false;
  bool checkpoint_running_ = false, checkpoint_again_ = false;
  std::int64_t next_timed_checkpoint_us_ = 0;
  std::uint64_t installs_ = 0;  // a checkpoint that began before one speaks of what is gone
  std::unique_ptr<runtime::TaskRunner> upkeep_;
  // For what is posted to the shard and may run after this object is gone. Shard only.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<runtime::Timer> write_back_timer_, checkpoint_timer_, offsets_timer_,
      index_timer_;
};

}  // namespace gantry::broker
