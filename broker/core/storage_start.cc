// SPDX-License-Identifier: Apache-2.0
// Storage: opening, recovery, taking over a store of Apache RocketMQ, and the clean stop.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "base/bytes.h"
#include "broker/core/memory_shares.h"
#include "broker/core/storage.h"
#include "log/log.h"
#include "replog/internal_topic.h"
#include "runtime/process_limits.h"
#include "state/apache_config.h"

namespace gantry::broker {
namespace {

log::Logger logger("storage");
constexpr std::chrono::milliseconds kWriteBackPeriod{1000};
constexpr std::chrono::milliseconds kCheckpointPeriod{5000};
constexpr std::chrono::milliseconds kOffsetsPeriod{50};
constexpr std::int64_t kOffsetsIntervalMsMax = 200;
constexpr std::chrono::milliseconds kIndexPeriod{20};
constexpr std::int64_t kApacheCheckpointSlackMs = 3000;

replog::EpochTable epochs_of(const state::StateMachine& machine) {
  replog::EpochTable table;
  for (const state::Epoch& epoch : machine.epochs().all()) {
    table.add({epoch.term, epoch.start, (epoch.flags & state::kEpochApache) != 0});
  }
  return table;
}

}  // namespace

Result<void> Storage::check_foreign_store() const {
  const auto refuse = [&](const char* what, const char* name) -> Result<void> {
    const auto there = fs_.exists(path(name));
    if (!there) return std::unexpected(there.error());
    if (!*there) return {};
    return make_error(ErrorCode::kUnsupported,
                      fmt::format("{} is {}, which Gantry does not open; give storePathRootDir a "
                                  "store of RocketMQ's default engine or an empty directory",
                                  path(name), what));
  };
  GANTRY_TRY(refuse("a DLedger store", ("dledger-" + config_.broker_name).c_str()));
  GANTRY_TRY(refuse("a RocksDB consume queue store", "rocksdbconsumequeue"));
  GANTRY_TRY(refuse("a RocksDB consume queue store", "consumequeue_r"));
  return {};
}

Result<void> Storage::load_snapshot() {
  snapshots_ = std::make_unique<state::SnapshotStore>(fs_, path("raft"));
  auto loaded = snapshots_->load();
  if (!loaded) return std::unexpected(loaded.error());
  for (const auto& damaged : loaded->damaged) {
    logger.warn("state snapshot {} is damaged and not used: {}", damaged.path, damaged.reason);
  }
  if (loaded->newest) return state_.load_snapshot(loaded->newest->body);
  if (!loaded->damaged.empty() && log_->begin().v > 0) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("every state snapshot in {} is damaged and the log before {} is "
                                  "gone: topics and offsets cannot be known; restore a snapshot",
                                  path("raft"), log_->begin().v));
  }
  return {};
}

Result<void> Storage::open() {
  GANTRY_TRY(io::create_directories_durably(fs_, config_.store_path_root_dir));
  auto lock = fs_.lock_directory(config_.store_path_root_dir);
  if (!lock) return std::unexpected(lock.error());
  lock_ = std::move(*lock);
  GANTRY_TRY(check_foreign_store());

  replog::LogOptions options;
  options.commit_log_directory = config_.store_path_commit_log;
  options.raft_directory = path("raft");
  options.file_bytes = config_.mapped_file_size_commit_log;
  options.flush_mode = config_.flush_disk_type == config::FlushDiskType::kSyncFlush
                           ? replog::FlushMode::kSync
                           : replog::FlushMode::kAsync;
  options.flush_interval = std::chrono::milliseconds(config_.flush_interval_commit_log_ms);
  options.tail_cache_bytes = tail_cache_bytes(config_, runtime::process_limits().memory_bytes);
  // A record is the message and its names, properties and fixed parts.
  options.record_bytes_max = config_.max_message_size + (64 << 10);
  if (tune_) tune_(options);
  log_ = std::make_unique<replog::Log>(shard_, fs_, options, clock_);
  GANTRY_TRY(log_->open());
  GANTRY_TRY(load_snapshot());

  queues_ = std::make_unique<store::QueueStore>(fs_, path("consumequeue"),
                                                config_.mapped_file_size_consume_queue);
  const auto replay_from = choose_replay_start();
  if (!replay_from) return std::unexpected(replay_from.error());

  replog::EpochTable epochs = epochs_of(state_);
  if (apache_range_from_.v >= 0) {
    epochs.add({Term(epochs.last_term().v + 1), apache_range_from_, true});
  }
  applying_end_ = *replay_from;
  const auto& checkpoint = log_->last_checkpoint();
  const LogPosition known_committed =
      std::max(state_.applied(), checkpoint ? checkpoint->committed : LogPosition(0));
  auto recovered =
      log_->recover(*replay_from, std::move(epochs), known_membership(), known_committed, *this);
  if (!recovered) return std::unexpected(recovered.error());
  recovered_ = std::move(*recovered);
  recovery_ = recovered_.scan;
  GANTRY_TRY(follow_log_end());
  // A take-over that got as far as its term has its import in the log too: nothing is left to do.
  const auto known = state_.epochs().at(apache_range_from_);
  const bool term_begun = apache_range_from_.v >= 0 ? known && known->start == apache_range_from_ &&
                                                          (known->flags & state::kEpochApache) != 0
                                                    : !state_.epochs().all().empty();
  bool imported = term_begun && state_.topics().size() > 0 && !state_.import_open();
  if (apache_range_from_.v >= 0 && state_.feature_level() >= state::kTransactionsLevel) {
    // Not as sure as it seems: topics were there before, and what was open there is not any more.
    imported = imported && state_.last_import() > apache_range_from_;
  }
  if (apache_import_ && imported) {
    apache_import_ = false;
    apache_range_from_ = LogPosition(-1);
  }
  if (index_) GANTRY_TRY(index_->cut(recovered_.committed));
  remove_unknown_queues();
  queues_->for_each([](std::string_view, std::int32_t, store::ConsumeQueue& q) { q.reset_next(); });
  queues_loaded_ = LogPosition(0);
  live_ = true;
  logger.info("store opened records_replayed={} from={} end={}", recovery_.records, replay_from->v,
              recovery_.end.v);
  return {};
}

// A disk that did not keep what it had synced, or a hand that removed files: the log ends before
// what snapshot and queues know. They follow it, or new records at those positions would be taken
// for old ones.
Result<void> Storage::follow_log_end() {
  // A member with others gets the records again: the state waits for them, as after an install.
  if (alone() && recovery_.end < state_.applied()) {
    logger.warn(
        "the log ends at {}, before the state snapshot of {}: the state is kept, {} bytes "
        "of records are lost",
        recovery_.end.v, state_.applied().v, state_.applied() - recovery_.end);
    state_.restart_at(recovery_.end);
    GANTRY_TRY(snapshots_->restart_at(recovery_.end, state_.serialize_snapshot()));
  }
  if (recovery_.end < queues_loaded_) {
    GANTRY_TRY(queues_->reload(log_->begin(), recovery_.end));
  }
  return {};
}

// Where the log has to be read again from: the lowest of what is not known to be on disk.
Result<LogPosition> Storage::choose_replay_start() {
  const auto& checkpoint = log_->last_checkpoint();
  LogPosition from = log_->begin();
  bool taken_over_now = false;
  if (checkpoint) {
    queues_loaded_ = checkpoint->queues_applied;
    from = std::min(queues_loaded_, state_.applied());
    index_from_ = checkpoint->index_from;
    // A continuation that was taken over, but no checkpoint has been written since.
    apache_range_from_ = checkpoint->apache_from;
    apache_import_ = apache_range_from_.v >= 0;
    if (checkpoint->clean) {
      // Nothing of ours follows a clean stop: what does was written by Apache RocketMQ.
      std::string head(8, '\0');
      const auto n = log_->peek(checkpoint->durable, head);
      if (n && *n == 8 && head.find_first_not_of('\0') != std::string::npos) {
        if (!alone()) {
          return make_error(ErrorCode::kUnsupported,
                            fmt::format("the log in {} was continued by RocketMQ from {}; a broker "
                                        "set of several members cannot take that over: give this "
                                        "member an empty directory and let it join again",
                                        config_.store_path_commit_log, checkpoint->durable.v));
        }
        apache_range_from_ = checkpoint->durable;
        apache_import_ = taken_over_now = true;
        logger.info("the log was continued by Apache RocketMQ from={}", checkpoint->durable.v);
      }
    }
  } else if (log_->begin() < log_->files_end()) {
    const auto start = apache_replay_start();
    if (!start) return std::unexpected(start.error());
    queues_loaded_ = index_from_ = from = *start;
    apache_import_ = taken_over_now = true;
    logger.info("taking over a store of Apache RocketMQ log_begin={} replay_from={}",
                log_->begin().v, from.v);
  }
  const bool writes_lost = !log_->same_boot() && !(checkpoint && checkpoint->clean);
  GANTRY_TRY(queues_->load(log_->begin(), queues_loaded_, writes_lost));
  open_index(from, taken_over_now);
  // A gap further back is filled in the background.
  if (checkpoint && index_) {
    from = std::min(from, std::max(index_->feed_position(), checkpoint->index_applied));
  }
  return std::max(from, log_->begin());
}

// RocketMQ's own rule: after a clean stop the last file is read again; after a crash, from the last
// file whose first message is older than what its checkpoint says was in the queues.
Result<LogPosition> Storage::apache_replay_start() const {
  const std::int64_t file_bytes = log_->file_bytes();
  std::int64_t safe_ms = INT64_MAX;
  const auto aborted = fs_.exists(path("abort"));
  if (!aborted) return std::unexpected(aborted.error());
  if (*aborted) {
    safe_ms = std::min(apache_checkpoint_time_ms(kApacheLogTimeAt),
                       apache_checkpoint_time_ms(kApacheQueuesTimeAt)) -
              kApacheCheckpointSlackMs;
  }
  LogPosition start = log_->files_end() - file_bytes;
  for (; start > log_->begin(); start = start - file_bytes) {
    std::string head(protocol::kRecordBytesMin, '\0');
    const auto n = log_->peek(start, head);
    if (!n) return std::unexpected(n.error());
    const auto magic = load_be<std::uint32_t>(head.data() + 4);
    if (magic != protocol::kRecordMagicV1 && magic != protocol::kRecordMagicV2) continue;
    const bool v6 = (load_be<std::int32_t>(head.data() + protocol::kSysFlagAt) &
                     protocol::sys_flag::kBornHostV6) != 0;
    if (load_be<std::int64_t>(head.data() + 48 + (v6 ? 20 : 8)) <= safe_ms) break;
  }
  return start;
}

// 0 if RocketMQ's checkpoint file is not there or does not say it.
std::int64_t Storage::apache_checkpoint_time_ms(std::size_t at) const {
  const auto bytes = io::read_file(fs_, path("checkpoint"));
  if (!bytes || bytes->size() < at + sizeof(std::int64_t)) return 0;
  return load_be<std::int64_t>(bytes->data() + at);
}

// A topic deleted after the queue files were last synced.
void Storage::remove_unknown_queues() {
  if (apache_import_ || !log_->last_checkpoint()) return;
  for (const std::string& topic : queues_->topics()) {
    if (state_.topics().find(topic) != nullptr) continue;
    if (const auto removed = queues_->remove_topic(topic); !removed) {
      logger.warn("removing the queues of deleted topic {} failed: {}", topic,
                  removed.error().message);
    }
  }
}

Result<void> Storage::start(const protocol::RecordHost& store_host,
                            replog::PeerTransport& transport) {
  // From here on the store is in use: RocketMQ's mark, and a checkpoint that is not clean.
  if (auto marked = io::write_file_atomically(fs_, path("abort"), std::to_string(::getpid()));
      !marked) {
    if (marked.error().code != ErrorCode::kDiskFull) return marked;
    logger.warn("the store is not marked as in use for RocketMQ: {}", marked.error().message);
  }
  // An empty store gets one as well: without it, a later start would take the log for RocketMQ's.
  if (log_->last_checkpoint() || log_->begin() == log_->files_end()) {
    replog::Checkpoint checkpoint = log_->make_checkpoint(
        queues_->durable_up_to(), index_ ? index_->durable_up_to() : log_->committed(), index_from_,
        false);
    checkpoint.apache_from = apache_range_from_;
    GANTRY_TRY(log_->save_checkpoint(checkpoint));
  }
  offsets_ = std::make_unique<state::OffsetManager>(state_, *log_, clock_);
  proposals_ = std::make_unique<state::Proposals>(state_, *log_, *offsets_, clock_);
  upkeep_ = shard_.make_worker("upkeep");
  if (apache_import_) GANTRY_TRY(read_apache_config());
  const bool first_take_over = apache_import_ && state_.epochs().all().empty();
  replog::ReplicaOptions options;
  options.store_host = store_host;
  options.apache_from = apache_range_from_.v >= 0 ? apache_range_from_
                        : first_take_over         ? log_->begin()
                                                  : LogPosition(-1);
  options.seed = std::hash<std::string>{}(log_->member_uuid());
  if (tune_replica_) tune_replica_(options);
  GANTRY_TRY(remember_being_alone());
  replica_ = std::make_unique<replog::Replica>(shard_, *log_, transport, *this, clock_, options);
  GANTRY_TRY(replica_->start(recovered_));
  started_ = true;
  start_timers();
  return {};
}

// As far as the state knows: this member is the only voter of its set.
bool Storage::alone() const {
  const raft::Membership group = known_membership().membership;
  return group.voter_count() == 1 && group.is_voter(log_->member_uuid());
}

raft::MembershipLog::Entry Storage::known_membership() const {
  raft::MembershipLog::Entry known = state_.membership();
  const raft::Membership& recovered = log_->hard_state().state().recovered;
  if (!recovered.members.empty()) {
    const raft::Kinship kin = raft::kinship(recovered, known.membership);
    const bool knows_it = kin == raft::Kinship::kSame || kin == raft::Kinship::kNewer;
    if (known.membership.members.empty() || !knows_it) return {{}, {}, recovered};
  }
  if (known.membership.members.empty()) known.membership = initial_membership();
  return known;
}

// What counts as long as the log holds no membership record.
raft::Membership Storage::initial_membership() const {
  const replog::HardState& hard = log_->hard_state().state();
  if (!hard.formed.members.empty()) return hard.formed;
  // The store of a set that is not formed, or that this member is joining: see
  // remember_being_alone.
  if (!config_.raft_initial_members.empty() && !apache_import_) return {};
  raft::Membership alone;
  alone.put({hard.member_uuid, "", 1, true});
  return alone;
}

// A broker set of one stays what it is, whatever raftInitialMembers says at a later start: its log
// is the history of nobody else.
Result<void> Storage::remember_being_alone() {
  replog::HardState hard = log_->hard_state().state();
  const raft::Membership& now = recovered_.memberships.current();
  if (!hard.formed.members.empty() || !state_.membership().membership.members.empty()) return {};
  if (now.members.size() != 1 || !now.is_voter(hard.member_uuid)) return {};
  hard.formed = now;
  return log_->hard_state().save(hard);
}

void Storage::start_timers() {
  const auto warn = [](const char* what, const Result<void>& result) {
    static log::RateLimit limit(30000);
    if (!result && limit.admit()) logger.warn("{} failed: {}", what, result.error().message);
  };
  write_back_timer_ = shard_.every(
      kWriteBackPeriod, [this, warn] { warn("writing consume queues", queues_->write_back()); });
  checkpoint_timer_ = shard_.every(kCheckpointPeriod, [this] {
    if (clock_.steady_us() >= next_timed_checkpoint_us_) checkpoint();
  });
  offsets_timer_ = shard_.every(kOffsetsPeriod, [this] {
    const auto interval_ms =
        std::min(config_.flush_consumer_offset_interval_ms, kOffsetsIntervalMsMax);
    if (leading()) offsets_->flush_if_due(interval_ms * 1000);
  });
  index_timer_ = shard_.every(kIndexPeriod, [this] { pump_index(); });
}

// --- role ---------------------------------------------------------------------------------------

void Storage::on_leading(Term term) {
  queues_->for_each([](std::string_view, std::int32_t, store::ConsumeQueue& q) { q.reset_next(); });
  proposals_->begin_term(term);
  if (apache_config_) import_apache_config();
  create_system_topics();
  // A group that was formed, or has begun again, has no membership in its log yet, and later
  // members look for it there.
  const raft::Membership& in_log = state_.membership().membership;
  const raft::Membership& group = replica_->core().membership();
  if ((in_log.members.empty() && group.members.size() > 1) ||
      in_log.recoveries != group.recoveries) {
    shard_.post([this, alive = alive_] {
      if (!*alive || !leading()) return;
      replica_->change_membership(replica_->core().membership(), [](const Result<void>& done) {
        if (!done) logger.warn("the membership is not in the log yet: {}", done.error().message);
      });
    });
  }
  for (RoleObserver* observer : roles_) observer->on_leading(term);
}

void Storage::on_following() {
  proposals_->end_term();
  queues_->for_each([](std::string_view, std::int32_t, store::ConsumeQueue& q) { q.reset_next(); });
  for (RoleObserver* observer : roles_) observer->on_following();
}

void Storage::on_group_changed() {
  for (RoleObserver* observer : roles_) observer->on_group_changed();
}

// The newest one on the disk: no log file has gone before it was there. Encoding the state takes
// the shard's time, and so happens only when that one cannot be read.
void Storage::provide_snapshot(LogPosition at_least, SnapshotDone done) {
  upkeep_->post([this, alive = alive_, at_least, done = std::move(done)]() mutable {
    replog::SnapshotImagePtr image;
    if (auto found = snapshots_->read(); found && found->newest) {
      image = replog::make_snapshot_image(found->newest->position, std::move(found->newest->body));
    }
    shard_.post(
        [this, alive, at_least, image = std::move(image), done = std::move(done)]() mutable {
          if (!*alive) return;
          if (image == nullptr || image->id.position < at_least) {
            logger.warn("no state snapshot on the disk can be sent: encoding the state of {} anew",
                        log_->committed().v);
            state_.advance(log_->committed());
            image = replog::make_snapshot_image(state_.applied(), encode_state());
          }
          done(std::move(image));
        });
  });
}

// Derived files go, the state is that of the snapshot; its records follow with the log.
Result<void> Storage::install_snapshot(LogPosition begin, std::string_view snapshot) {
  upkeep_.reset();  // finishes a running checkpoint
  upkeep_ = shard_.make_worker("upkeep");
  ++installs_;
  queues_.reset();
  index_.reset();
  GANTRY_TRY(fs_.remove_recursively(path("consumequeue")));
  GANTRY_TRY(fs_.remove_recursively(path("keyindex")));
  GANTRY_TRY(state_.load_snapshot(snapshot));
  GANTRY_TRY(snapshots_->save(state_.applied(), snapshot));
  queues_ = std::make_unique<store::QueueStore>(fs_, path("consumequeue"),
                                                config_.mapped_file_size_consume_queue);
  GANTRY_TRY(queues_->load(begin, begin));
  queues_loaded_ = index_from_ = LogPosition(0);
  open_index(begin, false);
  return log_->save_checkpoint(log_->make_checkpoint(begin, begin, index_from_, false));
}

Result<void> Storage::read_apache_config() {
  auto imported = state::read_apache_config(fs_, path("config"));
  if (!imported) return std::unexpected(imported.error());
  for (const std::string& note : imported->notes) logger.info("{}", note);
  logger.info("importing RocketMQ's configuration topics={} groups={} offsets={}",
              imported->state.topics.size(), imported->state.groups.size(),
              imported->state.offsets.size());
  apache_config_ = std::move(imported->state);
  return {};
}

void Storage::import_apache_config() {
  apache_config_->transactions = open_in_apache_store(*apache_config_);
  if (alone() && proposals_->feature_level() < state_.supported_level()) {
    // Nobody else has to understand what is imported.
    proposals_->set_feature_level(state_.supported_level(), [](const Result<void>& done) {
      if (!done) logger.error("raising the feature level failed: {}", done.error().message);
    });
  }
  proposals_->import(*apache_config_, [](Result<void> done) {
    if (!done) logger.error("importing RocketMQ's configuration failed: {}", done.error().message);
  });
  apache_config_.reset();
}

void Storage::create_system_topics() {
  std::vector<protocol::TopicConfig> topics;
  for (const protocol::TopicConfig& topic : system_topics_.initial_topics()) {
    if (proposals_->find_topic(topic.topic_name) == nullptr) topics.push_back(topic);
  }
  std::vector<protocol::SubscriptionGroupConfig> groups;
  for (const protocol::SubscriptionGroupConfig& group : system_topics_.initial_groups()) {
    if (proposals_->find_group(group.group_name) == nullptr) groups.push_back(group);
  }
  const auto report = [](Result<void> done) {
    if (!done) logger.error("creating the system topics failed: {}", done.error().message);
  };
  if (!topics.empty()) proposals_->put_topics(std::move(topics), report);
  if (!groups.empty()) proposals_->put_groups(std::move(groups), report);
}

Result<void> Storage::stop() {
  write_back_timer_.reset();
  checkpoint_timer_.reset();
  offsets_timer_.reset();
  index_timer_.reset();
  // What was only opened is left as it was found: a clean mark would be a lie.
  if (!started_) return {};
  if (leading()) offsets_->flush([](const Result<void>&) {});
  GANTRY_TRY(log_->stop());
  replica_->stop();
  proposals_->end_term();
  if (index_) {
    if (const auto flushed = index_->flush(std::chrono::seconds(10)); !flushed) {
      logger.warn("the key index was not written completely: {}", flushed.error().message);
    }
  }
  upkeep_.reset();  // finishes a running checkpoint
  auto work = begin_checkpoint(true);
  if (!work) return std::unexpected(work.error());
  GANTRY_TRY(run_checkpoint(*work));
  live_ = false;
  GANTRY_TRY(write_apache_files());
  GANTRY_TRY(fs_.remove(path("abort")));
  GANTRY_TRY(fs_.sync_directory(config_.store_path_root_dir));
  return {};
}

// config/*.json and the checkpoint file, so that Apache RocketMQ can go on from here.
Result<void> Storage::write_apache_files() {
  GANTRY_TRY(state::write_apache_config(fs_, state::render_apache_config(state_), path("config")));
  std::string checkpoint(4096, '\0');
  const std::int64_t time_ms = log_->last_store_time_ms();
  const std::int64_t index_ms = apache_checkpoint_time_ms(kApacheIndexTimeAt);
  store_be<std::int64_t>(checkpoint.data(), time_ms);
  store_be<std::int64_t>(checkpoint.data() + 8, time_ms);
  // RocketMQ's index files are as it left them: nothing of ours is in them.
  store_be<std::int64_t>(checkpoint.data() + kApacheIndexTimeAt, index_ms);
  store_be<std::int64_t>(checkpoint.data() + 24, 0);
  store_be<std::int64_t>(checkpoint.data() + 32, log_->committed().v);
  return io::write_file_atomically(fs_, path("checkpoint"), checkpoint);
}

}  // namespace gantry::broker
