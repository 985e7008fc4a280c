// SPDX-License-Identifier: Apache-2.0
// The replicated tables of a broker set: topics, groups, consumer offsets, delay progress, queue
// locks, subscriptions, open transactions, epochs, trim position and feature level. They change
// only by applying committed records in log order, so members at the same position hold equal
// tables (equal digest()).
//
// Owned by the broker, one per broker set member, used on the log shard only. Applying reads no
// clock, no randomness and no file.
//
// Positions: every apply call names the position just BEHIND its record (= start + size). A call at
// or before applied() is ignored, so replaying a log over a newer snapshot is harmless.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "raft/membership.h"
#include "state/commands.h"
#include "state/delay_table.h"
#include "state/epoch_table.h"
#include "state/group_table.h"
#include "state/lock_table.h"
#include "state/offset_table.h"
#include "state/subscription_table.h"
#include "state/topic_table.h"
#include "state/transaction_table.h"

namespace gantry::state {

namespace proto {
class Command;
class Snapshot;
}  // namespace proto

class StateMachine {
 public:
  // Told after a record has been applied, on the log shard, in the order of registration. A deleted
  // topic or group is in `names` and no longer in its table. Must not change the state machine.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_topics_changed(std::span<const std::string> /*names*/) {}
    virtual void on_groups_changed(std::span<const std::string> /*names*/) {}
    // Offsets were removed; an empty name means any.
    virtual void on_offsets_removed(std::string_view /*group*/, std::string_view /*topic*/) {}
    virtual void on_trim(LogPosition /*position*/) {}
    virtual void on_feature_level(std::int32_t /*level*/) {}
    // The digest that the leader had at `own.position` has been compared with this member's.
    virtual void on_state_compared(const StateDigest& /*own*/, std::uint64_t /*leaders*/) {}
    // Everything may have changed: a snapshot was loaded or an import applied.
    virtual void on_reload() {}
  };

  enum class StepResult : std::uint8_t {
    kApplied,         // the step took effect: dispatch its message
    kDuplicate,       // another record already did this step: the message must not be dispatched
    kAlreadyApplied,  // at or before applied(): part of what was loaded, nothing was changed
  };

  // `supported_level`: the highest feature level this build understands (tests give others).
  explicit StateMachine(std::int32_t supported_level = kSupportedFeatureLevel);
  StateMachine(const StateMachine&) = delete;
  StateMachine& operator=(const StateMachine&) = delete;

  // `listener` must outlive this object or be removed.
  void add_listener(Listener* listener);
  void remove_listener(Listener* listener);

  // Applies a command record's body. kUnsupported: the command needs a newer Gantry (both levels
  // are in the message); kCorrupt: not a command. After any error the member must stop applying.
  Result<void> apply(LogPosition record_end, std::string_view command_body);

  // A committed message record says it delivers the message before `next` of a delay level.
  // Level >= 1 and next >= 1 are checked by whoever reads the record's properties.
  StepResult apply_delay_step(LogPosition record_end, std::int32_t level, QueueOffset next);

  // A committed half message. Without effect (kDuplicate) below kTransactionsLevel: what Apache
  // RocketMQ wrote before is imported.
  StepResult apply_half(LogPosition record_end, OpenTransaction half);
  // A committed record that ends the transaction of the half message at `half`.
  StepResult apply_transaction_end(LogPosition record_end, LogPosition half);
  // A committed op record of Apache RocketMQ: names half messages by their queue offsets.
  void apply_transaction_ends(LogPosition record_end, std::span<const QueueOffset> halves);

  // A committed term-start record. `apache_from` >= 0: the log from there up to epoch.start was
  // written by Apache RocketMQ and becomes an epoch of its own, of the term epoch.term - 1.
  void apply_term_start(LogPosition record_end, const Epoch& epoch,
                        LogPosition apache_from = LogPosition(-1));

  // A committed membership record.
  void apply_membership(const raft::MembershipLog::Entry& entry);

  // Committed records up to `end` that change no state. Call it before taking a snapshot, so that
  // the snapshot lies at a record boundary as late as possible.
  void advance(LogPosition end);

  // The log turned out to end at `end`, before applied(): what comes next will be other records at
  // the same positions, and they count. The tables stay as they are, but epochs from `end` on go.
  void restart_at(LogPosition end);

  const TopicTable& topics() const { return topics_; }
  const GroupTable& groups() const { return groups_; }
  const OffsetTable& offsets() const { return offsets_; }
  const DelayTable& delays() const { return delays_; }
  const LockTable& locks() const { return locks_; }
  const SubscriptionTable& subscriptions() const { return subscriptions_; }
  const TransactionTable& transactions() const { return transactions_; }
  const EpochTable& epochs() const { return epochs_; }
  // Of the newest membership record; without members: the log holds none.
  const raft::MembershipLog::Entry& membership() const { return membership_; }
  LogPosition trim_position() const { return trim_; }
  std::int32_t feature_level() const { return feature_level_; }
  std::int32_t supported_level() const { return supported_level_; }
  // An import was begun and its last part has not been applied: begin it again.
  bool import_open() const { return import_next_part_ != 0; }
  // End of the record that ended the newest import, from kTransactionsLevel on; 0: none.
  LogPosition last_import() const { return last_import_; }
  // Every record that ends at or before this position is in the tables.
  LogPosition applied() const { return applied_; }

  // At the last compare_state record applied since this object was filled; position 0: none. Known
  // to this member only: no part of the tables.
  const StateDigest& last_digest() const { return last_digest_; }
  // Equal for equal tables, however they came about; applied() is not part of it. Costs a pass over
  // all tables.
  std::uint64_t digest() const;

  // The body of a snapshot at applied(). Format: docs/formats/snapshot.md.
  std::string serialize_snapshot() const;
  // Replaces everything. On error (kCorrupt, kUnsupported) nothing has changed.
  Result<void> load_snapshot(std::string_view body);

 private:
  Result<void> apply_command(LogPosition record_end, const proto::Command& command);
  Result<void> apply_put_topics(const proto::Command& command);
  void apply_delete_topics(const proto::Command& command);
  Result<void> apply_put_groups(const proto::Command& command);
  void apply_delete_group(const proto::Command& command);
  Result<void> apply_commit_offsets(const proto::Command& command);
  Result<void> apply_reset_offsets(const proto::Command& command);
  Result<void> apply_delete_offsets(const proto::Command& command);
  Result<void> apply_clone_offsets(const proto::Command& command);
  void apply_set_forbidden(const proto::Command& command);
  void apply_set_delay_offsets(const proto::Command& command);
  Result<void> apply_set_feature_level(const proto::Command& command);
  void apply_trim_log(const proto::Command& command);
  void apply_lock_queues(const proto::Command& command);
  void apply_unlock_queues(const proto::Command& command);
  Result<void> apply_put_subscriptions(const proto::Command& command);
  void apply_compare_state(LogPosition record_end, const proto::Command& command);
  void apply_count_checks(const proto::Command& command);
  Result<void> apply_import(LogPosition record_end, const proto::Command& command);
  void begin_import(const proto::Command& command);

  std::string serialize(LogPosition applied) const;
  Result<void> load_configs(const proto::Snapshot& in);
  Result<void> load_progress(const proto::Snapshot& in);
  template <class Call>
  void notify(Call&& call) {
    for (Listener* listener : listeners_) call(*listener);
  }

  std::int32_t supported_level_;
  TopicTable topics_;
  GroupTable groups_;
  OffsetTable offsets_;
  DelayTable delays_;
  LockTable locks_;
  SubscriptionTable subscriptions_;
  TransactionTable transactions_;
  EpochTable epochs_;
  raft::MembershipLog::Entry membership_;
  LogPosition trim_;
  LogPosition applied_;
  std::int32_t feature_level_ = kBaseFeatureLevel;
  std::int32_t import_next_part_ = 0;
  LogPosition last_import_;
  StateDigest last_digest_;
  std::vector<Listener*> listeners_;
};

}  // namespace gantry::state
