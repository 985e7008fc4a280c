// SPDX-License-Identifier: Apache-2.0
#include "state/state_machine.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "state.pb.h"
#include "state/proto_codec.h"

namespace gantry::state {
namespace {

void bump(protocol::DataVersion& version, const proto::Command& command) {
  ++version.counter;
  version.timestamp_ms = command.timestamp_ms();
  version.state_version = command.state_version();
}

Result<void> check_parallel(const proto::QueueOffsets& offsets) {
  if (offsets.queue_ids_size() == offsets.offsets_size()) return {};
  return make_error(ErrorCode::kCorrupt,
                    fmt::format("offsets of {}@{}: {} queue ids but {} offsets", offsets.topic(),
                                offsets.group(), offsets.queue_ids_size(), offsets.offsets_size()));
}

}  // namespace

StateMachine::StateMachine(std::int32_t supported_level) : supported_level_(supported_level) {}

void StateMachine::add_listener(Listener* listener) { listeners_.push_back(listener); }

void StateMachine::remove_listener(Listener* listener) { std::erase(listeners_, listener); }

Result<void> StateMachine::apply(LogPosition record_end, std::string_view command_body) {
  if (record_end <= applied_) return {};
  proto::Command command;
  if (command_body.size() > std::numeric_limits<int>::max() ||
      !command.ParseFromArray(command_body.data(), static_cast<int>(command_body.size()))) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("command record ending at {} does not decode", record_end.v));
  }
  if (command.feature_level() > supported_level_) {
    return make_error(
        ErrorCode::kUnsupported,
        fmt::format("command record ending at {} needs feature level {}, this build supports {}: "
                    "this member needs a newer release",
                    record_end.v, command.feature_level(), supported_level_));
  }
  if (auto applied = apply_command(record_end, command); !applied) {
    Error error = std::move(applied).error();
    error.message = fmt::format("command record ending at {}: {}", record_end.v, error.message);
    return std::unexpected(std::move(error));
  }
  applied_ = record_end;
  return {};
}

Result<void> StateMachine::apply_command(LogPosition record_end, const proto::Command& command) {
  switch (command.body_case()) {
    case proto::Command::kPutTopics:
      return apply_put_topics(command);
    case proto::Command::kDeleteTopics:
      apply_delete_topics(command);
      return {};
    case proto::Command::kPutGroups:
      return apply_put_groups(command);
    case proto::Command::kDeleteGroup:
      apply_delete_group(command);
      return {};
    case proto::Command::kCommitOffsets:
      return apply_commit_offsets(command);
    case proto::Command::kResetOffsets:
      return apply_reset_offsets(command);
    case proto::Command::kDeleteOffsets:
      return apply_delete_offsets(command);
    case proto::Command::kCloneOffsets:
      return apply_clone_offsets(command);
    case proto::Command::kSetForbidden:
      apply_set_forbidden(command);
      return {};
    case proto::Command::kSetDelayOffsets:
      apply_set_delay_offsets(command);
      return {};
    case proto::Command::kSetFeatureLevel:
      return apply_set_feature_level(command);
    case proto::Command::kTrimLog:
      apply_trim_log(command);
      return {};
    case proto::Command::kImportState:
      return apply_import(record_end, command);
    case proto::Command::kLockQueues:
      apply_lock_queues(command);
      return {};
    case proto::Command::kUnlockQueues:
      apply_unlock_queues(command);
      return {};
    case proto::Command::kCompareState:
      apply_compare_state(record_end, command);
      return {};
    case proto::Command::kPutSubscriptions:
      return apply_put_subscriptions(command);
    case proto::Command::kCountChecks:
      apply_count_checks(command);
      return {};
    case proto::Command::BODY_NOT_SET:
      break;
  }
  return make_error(ErrorCode::kCorrupt, "no command that this build knows");
}

Result<void> StateMachine::apply_put_topics(const proto::Command& command) {
  std::vector<protocol::TopicConfig> configs;
  for (const proto::TopicConfig& in : command.put_topics().topics()) {
    auto config = from_proto(in);
    if (!config) return std::unexpected(std::move(config).error());
    configs.push_back(*std::move(config));
  }
  std::vector<std::string> changed;
  for (protocol::TopicConfig& config : configs) {
    std::string name = config.topic_name;
    if (topics_.put(std::move(config))) changed.push_back(std::move(name));
  }
  if (changed.empty()) return {};
  bump(topics_.mutable_version(), command);
  notify([&](Listener& listener) { listener.on_topics_changed(changed); });
  return {};
}

void StateMachine::apply_delete_topics(const proto::Command& command) {
  std::vector<std::string> deleted;
  std::vector<std::string> without_offsets;
  for (const std::string& name : command.delete_topics().names()) {
    if (topics_.erase(name)) deleted.push_back(name);
    if (!name.empty() && offsets_.remove("", name)) without_offsets.push_back(name);
  }
  if (!without_offsets.empty()) bump(offsets_.mutable_version(), command);
  if (!deleted.empty()) bump(topics_.mutable_version(), command);
  // Even for a topic without committed offsets: a leader may hold some that are not in the log yet.
  for (const std::string& name : command.delete_topics().names()) {
    if (name.empty()) continue;
    notify([&](Listener& listener) { listener.on_offsets_removed("", name); });
  }
  if (!deleted.empty()) {
    notify([&](Listener& listener) { listener.on_topics_changed(deleted); });
  }
}

Result<void> StateMachine::apply_put_groups(const proto::Command& command) {
  std::vector<protocol::SubscriptionGroupConfig> configs;
  for (const proto::GroupConfig& in : command.put_groups().groups()) {
    auto config = from_proto(in);
    if (!config) return std::unexpected(std::move(config).error());
    configs.push_back(*std::move(config));
  }
  std::vector<std::string> changed;
  for (protocol::SubscriptionGroupConfig& config : configs) {
    std::string name = config.group_name;
    if (groups_.put(std::move(config))) changed.push_back(std::move(name));
  }
  if (changed.empty()) return {};
  bump(groups_.mutable_version(), command);
  notify([&](Listener& listener) { listener.on_groups_changed(changed); });
  return {};
}

void StateMachine::apply_delete_group(const proto::Command& command) {
  const proto::DeleteGroup& body = command.delete_group();
  const std::vector<std::string> names = {body.name()};
  const bool deleted = groups_.erase(body.name());
  locks_.remove(body.name());
  subscriptions_.remove(body.name());
  if (deleted) bump(groups_.mutable_version(), command);
  if (body.clean_offsets() && !body.name().empty()) {
    if (offsets_.remove(body.name(), "")) bump(offsets_.mutable_version(), command);
    notify([&](Listener& listener) { listener.on_offsets_removed(body.name(), ""); });
  }
  if (deleted) {
    notify([&](Listener& listener) { listener.on_groups_changed(names); });
  }
}

Result<void> StateMachine::apply_commit_offsets(const proto::Command& command) {
  const proto::CommitOffsets& body = command.commit_offsets();
  for (const proto::QueueOffsets& offsets : body.offsets()) GANTRY_TRY(check_parallel(offsets));
  for (const proto::QueueSet& set : body.consumed_resets()) {
    for (const std::int32_t queue_id : set.queue_ids()) {
      offsets_.consume_reset(set.group(), set.topic(), queue_id);
    }
  }
  for (const proto::QueueOffsets& offsets : body.offsets()) {
    for (int i = 0; i < offsets.queue_ids_size(); ++i) {
      offsets_.commit(offsets.group(), offsets.topic(), offsets.queue_ids(i),
                      QueueOffset(offsets.offsets(i)));
    }
  }
  bump(offsets_.mutable_version(), command);
  return {};
}

Result<void> StateMachine::apply_reset_offsets(const proto::Command& command) {
  const proto::ResetOffsets& body = command.reset_offsets();
  for (const proto::QueueOffsets& offsets : body.offsets()) GANTRY_TRY(check_parallel(offsets));
  for (const proto::QueueOffsets& offsets : body.offsets()) {
    for (int i = 0; i < offsets.queue_ids_size(); ++i) {
      offsets_.reset(offsets.group(), offsets.topic(), offsets.queue_ids(i),
                     QueueOffset(offsets.offsets(i)), body.pending());
    }
  }
  bump(offsets_.mutable_version(), command);
  return {};
}

Result<void> StateMachine::apply_delete_offsets(const proto::Command& command) {
  const proto::DeleteOffsets& body = command.delete_offsets();
  if (body.group().empty() && body.topic().empty()) {
    return make_error(ErrorCode::kCorrupt, "deletion of offsets names neither group nor topic");
  }
  if (offsets_.remove(body.group(), body.topic())) bump(offsets_.mutable_version(), command);
  notify([&](Listener& listener) { listener.on_offsets_removed(body.group(), body.topic()); });
  return {};
}

Result<void> StateMachine::apply_clone_offsets(const proto::Command& command) {
  const proto::CloneOffsets& body = command.clone_offsets();
  if (body.source_group().empty() || body.target_group().empty()) {
    return make_error(ErrorCode::kCorrupt, "clone of offsets without source or target group");
  }
  offsets_.clone(body.source_group(), body.target_group(), body.topic());
  bump(offsets_.mutable_version(), command);
  return {};
}

void StateMachine::apply_set_forbidden(const proto::Command& command) {
  std::vector<std::string> changed;
  for (const proto::Forbidden& entry : command.set_forbidden().entries()) {
    if (groups_.set_forbidden(entry.group(), entry.topic(), entry.bits())) {
      changed.push_back(entry.group());
    }
  }
  if (changed.empty()) return;
  bump(groups_.mutable_version(), command);
  notify([&](Listener& listener) { listener.on_groups_changed(changed); });
}

void StateMachine::apply_set_delay_offsets(const proto::Command& command) {
  for (const proto::DelayOffset& entry : command.set_delay_offsets().offsets()) {
    delays_.set(entry.level(), QueueOffset(entry.offset()));
  }
  bump(delays_.mutable_version(), command);
}

Result<void> StateMachine::apply_set_feature_level(const proto::Command& command) {
  const std::int32_t level = command.set_feature_level().level();
  if (level > supported_level_) {
    return make_error(ErrorCode::kUnsupported,
                      fmt::format("the group was raised to feature level {}, this build supports "
                                  "{}: this member needs a newer release",
                                  level, supported_level_));
  }
  if (level <= feature_level_) return {};
  feature_level_ = level;
  notify([&](Listener& listener) { listener.on_feature_level(level); });
  return {};
}

void StateMachine::apply_trim_log(const proto::Command& command) {
  const LogPosition position(command.trim_log().position());
  if (position <= trim_) return;
  trim_ = position;
  epochs_.trim(position);
  transactions_.remove_before(position);
  notify([&](Listener& listener) { listener.on_trim(position); });
}

void StateMachine::apply_lock_queues(const proto::Command& command) {
  const proto::LockQueues& body = command.lock_queues();
  locks_.drop_expired(body.expired_before_ms());
  for (const proto::LockedQueue& queue : body.queues()) {
    locks_.put(body.group(), from_proto(queue), {body.client(), command.timestamp_ms()});
  }
}

void StateMachine::apply_unlock_queues(const proto::Command& command) {
  const proto::UnlockQueues& body = command.unlock_queues();
  for (const proto::LockedQueue& queue : body.queues()) {
    locks_.release(body.group(), body.client(), from_proto(queue));
  }
}

Result<void> StateMachine::apply_put_subscriptions(const proto::Command& command) {
  const proto::GroupSubscriptions& body = command.put_subscriptions().subscriptions();
  auto subscriptions = from_proto(body);
  if (!subscriptions) return std::unexpected(std::move(subscriptions).error());
  if (groups_.find(body.group()) == nullptr) return {};
  subscriptions_.put(body.group(), *std::move(subscriptions));
  return {};
}

Result<void> StateMachine::apply_import(LogPosition record_end, const proto::Command& command) {
  const proto::ImportState& body = command.import_state();
  if (body.part() < 0 || body.part() >= body.part_count()) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("import part {} of {}", body.part(), body.part_count()));
  }
  // A part was lost (its append failed): the leader begins again, what follows here is void.
  if (body.part() != 0 && body.part() != import_next_part_) return {};

  std::vector<protocol::TopicConfig> topics;
  for (const proto::TopicConfig& in : body.topics()) {
    auto config = from_proto(in);
    if (!config) return std::unexpected(std::move(config).error());
    topics.push_back(*std::move(config));
  }
  std::vector<protocol::SubscriptionGroupConfig> groups;
  for (const proto::GroupConfig& in : body.groups()) {
    auto config = from_proto(in);
    if (!config) return std::unexpected(std::move(config).error());
    groups.push_back(*std::move(config));
  }
  for (const proto::QueueOffsets& offsets : body.offsets()) GANTRY_TRY(check_parallel(offsets));

  if (body.part() == 0) begin_import(command);
  for (protocol::TopicConfig& config : topics) topics_.put(std::move(config));
  for (protocol::SubscriptionGroupConfig& config : groups) groups_.put(std::move(config));
  for (const proto::Forbidden& entry : body.forbidden()) {
    groups_.set_forbidden(entry.group(), entry.topic(), entry.bits());
  }
  for (const proto::QueueOffsets& offsets : body.offsets()) {
    for (int i = 0; i < offsets.queue_ids_size(); ++i) {
      offsets_.commit(offsets.group(), offsets.topic(), offsets.queue_ids(i),
                      QueueOffset(offsets.offsets(i)));
    }
  }
  for (const proto::DelayOffset& entry : body.delay_offsets()) {
    delays_.set(entry.level(), QueueOffset(entry.offset()));
  }
  for (const proto::OpenTransaction& open : body.transactions()) {
    transactions_.put(from_proto(open));
  }
  import_next_part_ = body.part() + 1 == body.part_count() ? 0 : body.part() + 1;
  if (import_next_part_ == 0 && feature_level_ >= kTransactionsLevel) last_import_ = record_end;
  notify([](Listener& listener) { listener.on_reload(); });
  return {};
}

void StateMachine::begin_import(const proto::Command& command) {
  const proto::ImportState& body = command.import_state();
  topics_.clear();
  groups_.clear();
  subscriptions_.clear();
  offsets_.clear();
  delays_.clear();
  transactions_.clear();
  const auto take = [&](protocol::DataVersion& version, const proto::DataVersion& imported) {
    version = from_proto(imported);
    bump(version, command);
  };
  take(topics_.mutable_version(), body.topics_version());
  take(groups_.mutable_version(), body.groups_version());
  take(offsets_.mutable_version(), body.offsets_version());
  take(delays_.mutable_version(), body.delay_version());
}

StateMachine::StepResult StateMachine::apply_delay_step(LogPosition record_end, std::int32_t level,
                                                        QueueOffset next) {
  if (record_end <= applied_) return StepResult::kAlreadyApplied;
  applied_ = record_end;
  if (!delays_.advance(level, next)) return StepResult::kDuplicate;
  ++delays_.mutable_version().counter;
  return StepResult::kApplied;
}

void StateMachine::apply_term_start(LogPosition record_end, const Epoch& epoch,
                                    LogPosition apache_from) {
  if (record_end <= applied_) return;
  applied_ = record_end;
  if (apache_from >= LogPosition(0) && apache_from < epoch.start) {
    epochs_.append(Epoch{epoch.term - 1, apache_from, kEpochApache});
  }
  epochs_.append(epoch);
}

void StateMachine::apply_membership(const raft::MembershipLog::Entry& entry) {
  if (entry.end <= applied_) return;
  applied_ = entry.end;
  membership_ = entry;
}

void StateMachine::apply_compare_state(LogPosition record_end, const proto::Command& command) {
  const StateDigest own = last_digest_;
  last_digest_ = {record_end, digest()};
  if (own.position.v == 0 || own.position.v != command.compare_state().position()) return;
  const std::uint64_t leaders = command.compare_state().digest();
  notify([&](Listener& listener) { listener.on_state_compared(own, leaders); });
}

void StateMachine::restart_at(LogPosition end) {
  applied_ = std::min(applied_, end);
  if (last_digest_.position > end) last_digest_ = {};
  epochs_.cut(end);
}

void StateMachine::advance(LogPosition end) { applied_ = std::max(applied_, end); }

}  // namespace gantry::state
