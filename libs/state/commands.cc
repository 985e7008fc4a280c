// SPDX-License-Identifier: Apache-2.0
#include "state/commands.h"

#include <map>
#include <utility>

#include "state.pb.h"
#include "state/proto_codec.h"

namespace gantry::state {
namespace {

EncodedCommand finish(proto::Command& command, const CommandStamp& stamp,
                      std::int32_t level = kBaseFeatureLevel) {
  EncodedCommand out;
  out.feature_level = level;
  command.set_feature_level(out.feature_level);
  command.set_timestamp_ms(stamp.timestamp_ms);
  command.set_state_version(stamp.term.v);
  command.SerializeToString(&out.body);
  return out;
}

using ByQueue = std::map<std::int32_t, std::int64_t>;
using ByTopic = std::map<std::pair<std::string_view, std::string_view>, ByQueue>;

ByTopic group_offsets(std::span<const OffsetEntry> offsets) {
  ByTopic grouped;
  for (const OffsetEntry& entry : offsets) {
    grouped[{entry.group, entry.topic}].insert_or_assign(entry.queue_id, entry.offset.v);
  }
  return grouped;
}

void fill(proto::QueueOffsets& out, const ByTopic::value_type& in) {
  out.set_group(std::string(in.first.first));
  out.set_topic(std::string(in.first.second));
  for (const auto& [queue_id, offset] : in.second) {
    out.add_queue_ids(queue_id);
    out.add_offsets(offset);
  }
}

void fill(proto::Forbidden& out, const ForbiddenEntry& in) {
  out.set_group(in.group);
  out.set_topic(in.topic);
  out.set_bits(in.bits);
}

void fill(proto::DelayOffset& out, const DelayOffsetEntry& in) {
  out.set_level(in.level);
  out.set_offset(in.next.v);
}

// Cuts an import into parts of at most kCommandBytesMax.
class ImportPacker {
 public:
  explicit ImportPacker(const ImportedState& imported) {
    proto::ImportState& part = parts_.emplace_back();
    to_proto(imported.topics_version, *part.mutable_topics_version());
    to_proto(imported.groups_version, *part.mutable_groups_version());
    to_proto(imported.offsets_version, *part.mutable_offsets_version());
    to_proto(imported.delay_version, *part.mutable_delay_version());
    bytes_ = part.ByteSizeLong();
  }

  // The part to add an item of `item_bytes` to.
  proto::ImportState& part_for(std::size_t item_bytes) {
    constexpr std::size_t kItemOverhead = 8;    // tag and length
    constexpr std::size_t kPartOverhead = 256;  // command header, part numbers
    if (bytes_ + item_bytes + kItemOverhead + kPartOverhead > kCommandBytesMax) {
      parts_.emplace_back();
      bytes_ = 0;
    }
    bytes_ += item_bytes + kItemOverhead;
    return parts_.back();
  }

  std::vector<EncodedCommand> finish_all(const CommandStamp& stamp) {
    std::vector<EncodedCommand> out;
    for (proto::ImportState& part : parts_) {
      part.set_part(static_cast<std::int32_t>(out.size()));
      part.set_part_count(static_cast<std::int32_t>(parts_.size()));
      proto::Command command;
      command.mutable_import_state()->Swap(&part);
      const bool transactions = command.import_state().transactions_size() > 0;
      out.push_back(finish(command, stamp, transactions ? kTransactionsLevel : kBaseFeatureLevel));
    }
    return out;
  }

 private:
  std::vector<proto::ImportState> parts_;
  std::size_t bytes_ = 0;
};

}  // namespace

EncodedCommand put_topics_command(const CommandStamp& stamp,
                                  std::span<const protocol::TopicConfig> topics) {
  proto::Command command;
  command.mutable_put_topics();
  for (const auto& topic : topics) to_proto(topic, *command.mutable_put_topics()->add_topics());
  return finish(command, stamp);
}

EncodedCommand delete_topics_command(const CommandStamp& stamp,
                                     std::span<const std::string> names) {
  proto::Command command;
  command.mutable_delete_topics();
  for (const std::string& name : names) command.mutable_delete_topics()->add_names(name);
  return finish(command, stamp);
}

EncodedCommand put_groups_command(const CommandStamp& stamp,
                                  std::span<const protocol::SubscriptionGroupConfig> groups) {
  proto::Command command;
  command.mutable_put_groups();
  for (const auto& group : groups) to_proto(group, *command.mutable_put_groups()->add_groups());
  return finish(command, stamp);
}

EncodedCommand delete_group_command(const CommandStamp& stamp, std::string_view name,
                                    CleanOffsets clean) {
  proto::Command command;
  command.mutable_delete_group()->set_name(std::string(name));
  command.mutable_delete_group()->set_clean_offsets(clean == CleanOffsets::kYes);
  return finish(command, stamp);
}

EncodedCommand commit_offsets_command(const CommandStamp& stamp,
                                      std::span<const OffsetEntry> offsets,
                                      std::span<const QueueKey> consumed_resets) {
  proto::Command command;
  proto::CommitOffsets& commit = *command.mutable_commit_offsets();
  std::map<std::pair<std::string_view, std::string_view>, std::vector<std::int32_t>> consumed;
  for (const QueueKey& key : consumed_resets)
    consumed[{key.group, key.topic}].push_back(key.queue_id);
  for (const auto& [names, queue_ids] : consumed) {
    proto::QueueSet& set = *commit.add_consumed_resets();
    set.set_group(std::string(names.first));
    set.set_topic(std::string(names.second));
    for (const std::int32_t queue_id : queue_ids) set.add_queue_ids(queue_id);
  }
  for (const auto& entry : group_offsets(offsets)) fill(*commit.add_offsets(), entry);
  return finish(command, stamp);
}

EncodedCommand reset_offsets_command(const CommandStamp& stamp,
                                     std::span<const OffsetEntry> offsets, PendingReset pending) {
  proto::Command command;
  proto::ResetOffsets& reset = *command.mutable_reset_offsets();
  reset.set_pending(pending == PendingReset::kYes);
  for (const auto& entry : group_offsets(offsets)) fill(*reset.add_offsets(), entry);
  return finish(command, stamp);
}

EncodedCommand delete_offsets_command(const CommandStamp& stamp, std::string_view group,
                                      std::string_view topic) {
  proto::Command command;
  command.mutable_delete_offsets()->set_group(std::string(group));
  command.mutable_delete_offsets()->set_topic(std::string(topic));
  return finish(command, stamp);
}

EncodedCommand clone_offsets_command(const CommandStamp& stamp, std::string_view source_group,
                                     std::string_view target_group, std::string_view topic) {
  proto::Command command;
  command.mutable_clone_offsets()->set_source_group(std::string(source_group));
  command.mutable_clone_offsets()->set_target_group(std::string(target_group));
  command.mutable_clone_offsets()->set_topic(std::string(topic));
  return finish(command, stamp);
}

EncodedCommand set_forbidden_command(const CommandStamp& stamp,
                                     std::span<const ForbiddenEntry> entries) {
  proto::Command command;
  command.mutable_set_forbidden();
  for (const ForbiddenEntry& entry : entries) {
    fill(*command.mutable_set_forbidden()->add_entries(), entry);
  }
  return finish(command, stamp);
}

EncodedCommand set_delay_offsets_command(const CommandStamp& stamp,
                                         std::span<const DelayOffsetEntry> offsets) {
  proto::Command command;
  command.mutable_set_delay_offsets();
  for (const DelayOffsetEntry& entry : offsets) {
    fill(*command.mutable_set_delay_offsets()->add_offsets(), entry);
  }
  return finish(command, stamp);
}

EncodedCommand set_feature_level_command(const CommandStamp& stamp, std::int32_t level) {
  proto::Command command;
  command.mutable_set_feature_level()->set_level(level);
  return finish(command, stamp);
}

EncodedCommand trim_log_command(const CommandStamp& stamp, LogPosition position) {
  proto::Command command;
  command.mutable_trim_log()->set_position(position.v);
  return finish(command, stamp);
}

EncodedCommand lock_queues_command(const CommandStamp& stamp, std::string_view group,
                                   std::string_view client, std::span<const LockedQueue> queues,
                                   std::int64_t expired_before_ms) {
  proto::Command command;
  proto::LockQueues& lock = *command.mutable_lock_queues();
  lock.set_group(std::string(group));
  lock.set_client(std::string(client));
  lock.set_expired_before_ms(expired_before_ms);
  for (const LockedQueue& queue : queues) to_proto(queue, *lock.add_queues());
  return finish(command, stamp);
}

EncodedCommand unlock_queues_command(const CommandStamp& stamp, std::string_view group,
                                     std::string_view client, std::span<const LockedQueue> queues) {
  proto::Command command;
  proto::UnlockQueues& unlock = *command.mutable_unlock_queues();
  unlock.set_group(std::string(group));
  unlock.set_client(std::string(client));
  for (const LockedQueue& queue : queues) to_proto(queue, *unlock.add_queues());
  return finish(command, stamp);
}

EncodedCommand compare_state_command(const CommandStamp& stamp, const StateDigest& last) {
  proto::Command command;
  command.mutable_compare_state()->set_position(last.position.v);
  command.mutable_compare_state()->set_digest(last.digest);
  return finish(command, stamp, kCompareStateLevel);
}

EncodedCommand put_subscriptions_command(const CommandStamp& stamp, std::string_view group,
                                         const GroupSubscriptions& subscriptions) {
  proto::Command command;
  to_proto(group, subscriptions, *command.mutable_put_subscriptions()->mutable_subscriptions());
  return finish(command, stamp, kSubscriptionsLevel);
}

EncodedCommand count_checks_command(const CommandStamp& stamp,
                                    std::span<const LogPosition> positions) {
  proto::Command command;
  command.mutable_count_checks();
  for (const LogPosition position : positions) {
    command.mutable_count_checks()->add_positions(position.v);
  }
  return finish(command, stamp, kTransactionsLevel);
}

std::vector<EncodedCommand> import_state_commands(const CommandStamp& stamp,
                                                  const ImportedState& imported) {
  ImportPacker packer(imported);
  for (const auto& topic : imported.topics) {
    proto::TopicConfig item;
    to_proto(topic, item);
    packer.part_for(item.ByteSizeLong()).add_topics()->Swap(&item);
  }
  for (const auto& group : imported.groups) {
    proto::GroupConfig item;
    to_proto(group, item);
    packer.part_for(item.ByteSizeLong()).add_groups()->Swap(&item);
  }
  for (const ForbiddenEntry& entry : imported.forbidden) {
    proto::Forbidden item;
    fill(item, entry);
    packer.part_for(item.ByteSizeLong()).add_forbidden()->Swap(&item);
  }
  for (const auto& entry : group_offsets(imported.offsets)) {
    proto::QueueOffsets item;
    fill(item, entry);
    packer.part_for(item.ByteSizeLong()).add_offsets()->Swap(&item);
  }
  for (const DelayOffsetEntry& entry : imported.delay_offsets) {
    proto::DelayOffset item;
    fill(item, entry);
    packer.part_for(item.ByteSizeLong()).add_delay_offsets()->Swap(&item);
  }
  for (const OpenTransaction& open : imported.transactions) {
    proto::OpenTransaction item;
    to_proto(open, item);
    packer.part_for(item.ByteSizeLong()).add_transactions()->Swap(&item);
  }
  return packer.finish_all(stamp);
}

}  // namespace gantry::state
