// SPDX-License-Identifier: Apache-2.0
#include "broker/core/storage.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "broker/core/transaction_records.h"
#include "log/log.h"
#include "protocol/tags.h"
#include "replog/internal_topic.h"

namespace gantry::broker {
namespace {

log::Logger logger("storage");

// Of the shard's time, encoding the state for timed checkpoints takes at most one part in so many.
constexpr std::int64_t kEncodingShare = 50;
constexpr std::int64_t kLongEncodingUs = 200'000;

constexpr std::string_view kScheduleTopic = "SCHEDULE_TOPIC_XXXX";

state::SystemTopicOptions system_topic_options(const config::BrokerConfig& c, std::size_t levels) {
  state::SystemTopicOptions o;
  o.broker_cluster_name = c.broker_cluster_name;
  o.broker_name = c.broker_name;
  o.auto_create_topic_enable = c.auto_create_topic_enable;
  o.default_topic_queue_nums = c.default_topic_queue_nums;
  o.cluster_topic_enable = c.cluster_topic_enable;
  o.broker_topic_enable = c.broker_topic_enable;
  o.trace_topic_enable = c.trace_topic_enable;
  o.msg_trace_topic_name = c.msg_trace_topic_name;
  o.timer_wheel_enable = c.timer_wheel_enable;
  o.delay_level_count = static_cast<std::int32_t>(levels);
  return o;
}

std::vector<std::int64_t> configured_delays(const config::BrokerConfig& c) {
  auto levels = config::parse_delay_levels(c.message_delay_level);
  return levels ? *levels : std::vector<std::int64_t>{1000};  // load has refused a bad value
}

}  // namespace

Storage::Storage(runtime::Loop& shard, io::FileSystem& fs, const config::BrokerConfig& config,
                 Clock& clock, TuneLog tune, TuneReplica tune_replica)
    : shard_(shard),
      fs_(fs),
      config_(config),
      clock_(clock),
      tune_(std::move(tune)),
      tune_replica_(std::move(tune_replica)),
      system_topics_(system_topic_options(config, configured_delays(config).size())),
      delay_levels_(configured_delays(config)) {
  state_.add_listener(this);
}

Storage::~Storage() {
  *alive_ = false;
  write_back_timer_.reset();
  checkpoint_timer_.reset();
  offsets_timer_.reset();
  index_timer_.reset();
  upkeep_.reset();
  proposals_.reset();
  offsets_.reset();
  replica_.reset();
  log_.reset();
  state_.remove_listener(this);
}

std::string Storage::path(const char* name) const {
  return config_.store_path_root_dir + "/" + name;
}

// --- applying
// ---------------------------------------------------------------------------------------

Result<void> Storage::apply(const protocol::RecordView& record) {
  const LogPosition end = record.position + record.total_size;
  // Only without a gap behind: what is missing further back is filled by pump_index().
  index_due_ = index_ && index_->feed_position() >= applying_end_;
  applying_end_ = end;
  if (replog::internal_kind(record)) {
    GANTRY_TRY(apply_internal(record, end));
  } else {
    apply_message(record, end);
  }
  queues_->advance(end);
  if (index_due_) index_->advance(end);
  return {};
}

Result<void> Storage::apply_internal(const protocol::RecordView& record, LogPosition end) {
  switch (static_cast<replog::InternalRecord>(record.flag)) {
    case replog::InternalRecord::kCommand:
      return state_.apply(end, record.body);
    case replog::InternalRecord::kTermStart: {
      const auto start = replog::TermStart::decode(record.body);
      if (!start) return std::unexpected(start.error());
      const std::uint32_t flags =
          start->flush_mode == replog::FlushMode::kSync ? state::kEpochSyncFlush : 0;
      const LogPosition begin = replog::epochs_of(*start, record.position).back().start;
      state_.apply_term_start(end, {start->term, begin, flags}, start->apache_from);
      return {};
    }
    case replog::InternalRecord::kMembership: {
      auto membership = raft::Membership::decode(record.body);
      if (!membership) return std::unexpected(membership.error());
      state_.apply_membership({record.position, end, std::move(*membership)});
      return {};
    }
  }
  return make_error(ErrorCode::kUnsupported,
                    fmt::format("internal record of kind {} at {}: written by a newer Gantry",
                                record.flag, record.position.v));
}

// False: another record has done this step already, the message does not count.
bool Storage::apply_step(const protocol::RecordView& record, LogPosition end) {
  using StepResult = state::StateMachine::StepResult;
  const std::int32_t type = record.transaction_type();
  if (const auto step = TransactionStep::decode(record.prepared_transaction_offset)) {
    return state_.apply_transaction_end(end, step->half) != StepResult::kDuplicate;
  }
  if (type == protocol::sys_flag::kTransactionCommit) {
    // Apache RocketMQ's: it may have published a message twice, and readers have counted both.
    state_.apply_transaction_end(end, LogPosition(record.prepared_transaction_offset));
    return true;
  }
  if (type != 0) return true;
  if (const auto step = DelayStep::decode(record.prepared_transaction_offset)) {
    return state_.apply_delay_step(end, step->level, step->scheduled + 1) != StepResult::kDuplicate;
  }
  if (auto half = opened_by(record)) {
    state_.apply_half(end, *std::move(half));
  } else if (const auto ended = ended_by(record); !ended.empty()) {
    state_.apply_transaction_ends(end, ended);
  }
  return true;
}

void Storage::apply_message(const protocol::RecordView& record, LogPosition end) {
  if (!apply_step(record, end)) return;
  const std::int32_t type = record.transaction_type();
  if (type == protocol::sys_flag::kTransactionRollback) return;
  const RecordFacts facts = RecordFacts::of(record.properties);
  const bool queued = type == 0 || type == protocol::sys_flag::kTransactionCommit;
  std::int64_t tags_code = 0;
  if (queued) {
    if (facts.delay_level > 0 && record.topic == kScheduleTopic) {
      tags_code = record.store_timestamp_ms + delay_levels_.delay_ms(facts.delay_level);
    } else {
      tags_code = protocol::tags_code(facts.tags);
    }
    if (end > queues_loaded_) {
      queues_->append(record.topic, record.queue_id, record.queue_offset,
                      {record.position, static_cast<std::int32_t>(record.total_size), tags_code},
                      end);
    }
  }
  if (index_due_) put_keys(record, facts);
  if (live_ && queued) {
    for (CommitObserver* observer : observers_) observer->on_message(record, tags_code);
  }
}

void Storage::on_committed(LogPosition committed) {
  for (CommitObserver* observer : observers_) observer->on_committed(committed);
}

// --- reactions to state
// -----------------------------------------------------------------------------

void Storage::on_topics_changed(std::span<const std::string> names) {
  if (applying_end_ <= queues_loaded_) return;  // the queue files already know
  for (const std::string& name : names) {
    if (state_.topics().find(name) != nullptr) continue;
    if (const auto removed = queues_->remove_topic(name); !removed) {
      logger.warn("removing the queues of deleted topic {} failed: {}", name,
                  removed.error().message);
    }
  }
}

void Storage::on_trim(LogPosition position) {
  trim_wanted_ = std::max(trim_wanted_, position);
  // Files go after the next snapshot: no log file is deleted before one at or above the position is
  // durable.
  if (!live_ || !upkeep_) return;
  shard_.post([this, alive = alive_] {
    if (*alive && live_) checkpoint();
  });
}

void Storage::propose_trim(LogPosition position, state::Proposals::Done done) {
  proposals_->trim_log(position, std::move(done));
}

void Storage::trim_files() {
  if (trim_wanted_.v == 0 || !snapshots_->durable_position()) return;
  const LogPosition allowed = std::min(trim_wanted_, *snapshots_->durable_position());
  const LogPosition before = log_->begin();
  const auto freed = log_->trim(allowed);
  if (!freed) {
    logger.warn("deleting log files failed: {}", freed.error().message);
    return;
  }
  if (log_->begin() == before) return;
  logger.info("log files deleted begin={} freed_bytes={}", log_->begin().v, *freed);
  if (const auto trimmed = queues_->trim(log_->begin()); !trimmed) {
    logger.warn("trimming consume queues failed: {}", trimmed.error().message);
  }
  if (index_) index_->trim(log_->begin());
}

// --- upkeep
// -----------------------------------------------------------------------------------------

Result<Storage::CheckpointWork> Storage::begin_checkpoint(bool clean) {
  CheckpointWork work;
  work.position = log_->committed();
  state_.advance(work.position);
  auto queues = queues_->begin_sync();
  if (!queues) return std::unexpected(queues.error());
  work.queues = std::move(*queues);
  work.log = log_->begin_sync();
  if (!snapshots_->durable_position() || *snapshots_->durable_position() < work.position) {
    work.snapshot = encode_state();
  }
  work.record = log_->make_checkpoint(
      work.queues.up_to, index_ ? index_->durable_up_to() : work.position, index_from_, clean);
  return work;
}

// The shard stands still meanwhile: the larger the state, the rarer this happens.
std::string Storage::encode_state() {
  const std::int64_t began_us = clock_.steady_us();
  std::string bytes = state_.serialize_snapshot();
  const std::int64_t took_us = clock_.steady_us() - began_us;
  next_timed_checkpoint_us_ = began_us + kEncodingShare * took_us;
  static log::RateLimit limit(600'000);
  if (took_us > kLongEncodingUs && limit.admit()) {
    logger.warn("encoding the state took {} ms, during which nobody was served bytes={} topics={}",
                took_us / 1000, bytes.size(), state_.topics().size());
  }
  return bytes;
}

// The log first, so that nothing on disk runs ahead of it after a power cut; then derived files,
// the snapshot, and the checkpoint that relies on all of them.
Result<void> Storage::run_checkpoint(const CheckpointWork& work) {
  log_->run_sync(work.log);
  // What the disk refused to keep is not refused again: the next sync would succeed without it.
  if (const auto synced = work.queues.run(fs_); !synced) {
    log_->die("sync of the consume queues failed", synced.error());
  }
  if (!work.snapshot.empty()) GANTRY_TRY(snapshots_->save(work.position, work.snapshot));
  return log_->save_checkpoint(work.record);
}

void Storage::end_checkpoint(const CheckpointWork& work) {
  queues_->complete_sync(work.queues);
  trim_files();
}

void Storage::checkpoint() {
  if (checkpoint_running_) {
    checkpoint_again_ = true;
    return;
  }
  const auto warn = [](const Error& error) {
    static log::RateLimit limit(30000);
    if (limit.admit()) logger.warn("checkpoint failed: {}", error.message);
  };
  auto work = begin_checkpoint(false);
  if (!work) return warn(work.error());
  checkpoint_running_ = true;
  upkeep_->post([this, warn, alive = alive_, installs = installs_,
                 work = std::make_shared<CheckpointWork>(std::move(*work))] {
    auto done = run_checkpoint(*work);
    shard_.post([this, warn, alive, installs, work, done = std::move(done)] {
      if (!*alive) return;
      checkpoint_running_ = false;
      if (!live_ || installs != installs_) return;
      if (done) {
        end_checkpoint(*work);
      } else {
        warn(done.error());
      }
      if (std::exchange(checkpoint_again_, false)) checkpoint();
    });
  });
}

}  // namespace gantry::broker
