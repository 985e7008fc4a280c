// SPDX-License-Identifier: Apache-2.0
// StateMachine's snapshot body, and its digest, which is a hash of the same bytes: every list is
// sorted, so equal tables give equal bytes.
#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "state.pb.h"
#include "state/proto_codec.h"
#include "state/state_machine.h"

namespace gantry::state {
namespace {

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 1099511628211ULL;
  }
  return hash;
}

// Encodes a snapshot a few entries at a time. What is written one behind the other is one
// proto::Snapshot, and its bytes are those of encoding it at once as long as the fields come in the
// order of their numbers. A message of all entries would take several times as long: the shard
// waits for this.
class Writer {
 public:
  // To be filled; each call of write() begins the next one.
  proto::Snapshot part;

  void write() {
    part.AppendToString(&bytes_);
    part.Clear();
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

void offsets_to_proto(const OffsetTable& table, Writer& out) {
  using Entry = std::pair<std::string_view, const OffsetTable::Tree::Queues*>;
  std::map<std::string_view, std::vector<Entry>> groups;  // their topics
  table.tree().for_each(
      [&](const std::string& group, const std::string& topic,
          const OffsetTable::Tree::Queues& queues) { groups[group].emplace_back(topic, &queues); });
  for (auto& [group, topics] : groups) {
    std::ranges::sort(topics, {}, &Entry::first);
    for (const auto& [topic, queues] : topics) {
      proto::QueueOffsets& offsets = *out.part.add_offsets();
      offsets.set_group(group.data(), group.size());
      offsets.set_topic(topic.data(), topic.size());
      for (const auto& [queue_id, entry] : *queues) {
        offsets.add_queue_ids(queue_id);
        offsets.add_offsets(entry.offset.v);
      }
      out.write();
    }
  }
  if (table.pending_resets() == 0) return;
  for (const auto& [group, topics] : groups) {
    for (const auto& [topic, queues] : topics) {
      proto::QueueSet* pending = nullptr;
      for (const auto& [queue_id, entry] : *queues) {
        if (!entry.pending_reset) continue;
        if (pending == nullptr) {
          pending = out.part.add_pending_resets();
          pending->set_group(group.data(), group.size());
          pending->set_topic(topic.data(), topic.size());
        }
        pending->add_queue_ids(queue_id);
      }
    }
  }
  out.write();
}

void delays_to_proto(const DelayTable& table, proto::Snapshot& out) {
  for (const auto& [level, next] : table.all()) {
    proto::DelayOffset& entry = *out.add_delay_offsets();
    entry.set_level(level);
    entry.set_offset(next.v);
  }
}

void locks_to_proto(const LockTable& table, proto::Snapshot& out) {
  for (const auto& [group, queues] : table.all()) {
    for (const auto& [queue, owner] : queues) {
      proto::QueueLock& lock = *out.add_locks();
      lock.set_group(group);
      to_proto(queue, *lock.mutable_queue());
      lock.set_client(owner.client);
      lock.set_renewed_ms(owner.renewed_ms);
    }
  }
}

void epochs_to_proto(const EpochTable& table, proto::Snapshot& out) {
  for (const Epoch& in : table.all()) {
    proto::Epoch& epoch = *out.add_epochs();
    epoch.set_term(in.term.v);
    epoch.set_start(in.start.v);
    epoch.set_flags(in.flags);
  }
}

void subscriptions_to_proto(const SubscriptionTable& table, proto::Snapshot& out) {
  for (const auto& [group, subscriptions] : table.all()) {
    to_proto(group, subscriptions, *out.add_subscriptions());
  }
}

Error corrupt(std::string message) {
  return Error{ErrorCode::kCorrupt, "state snapshot: " + std::move(message)};
}

}  // namespace

// The fields in the order of their numbers, see Writer.
std::string StateMachine::serialize(LogPosition applied) const {
  Writer writer;
  proto::Snapshot& out = writer.part;
  out.set_feature_level(feature_level_);
  out.set_applied(applied.v);
  out.set_import_next_part(import_next_part_);
  to_proto(topics_.data_version(), *out.mutable_topics_version());
  writer.write();
  for (const protocol::TopicConfig* topic : topics_.all()) {
    to_proto(*topic, *out.add_topics());
    writer.write();
  }
  to_proto(groups_.data_version(), *out.mutable_groups_version());
  writer.write();
  for (const protocol::SubscriptionGroupConfig* group : groups_.all()) {
    to_proto(*group, *out.add_groups());
    writer.write();
  }
  for (const auto& [group, by_topic] : groups_.all_forbidden()) {
    for (const auto& [topic, bits] : by_topic) {
      proto::Forbidden& entry = *out.add_forbidden();
      entry.set_group(group);
      entry.set_topic(topic);
      entry.set_bits(bits);
    }
  }
  to_proto(offsets_.data_version(), *out.mutable_offsets_version());
  writer.write();
  offsets_to_proto(offsets_, writer);
  to_proto(delays_.data_version(), *out.mutable_delay_version());
  delays_to_proto(delays_, out);
  epochs_to_proto(epochs_, out);
  out.set_trim(trim_.v);
  if (!membership_.membership.members.empty()) {
    proto::GroupMembership& membership = *out.mutable_membership();
    membership.set_start(membership_.start.v);
    membership.set_end(membership_.end.v);
    membership.set_members(membership_.membership.encode());
  }
  locks_to_proto(locks_, out);
  subscriptions_to_proto(subscriptions_, out);
  writer.write();
  for (const auto& [position, open] : transactions_.all()) {
    to_proto(open, *out.add_transactions());
    writer.write();
  }
  out.set_last_import(last_import_.v);
  writer.write();
  return writer.take();
}

std::uint64_t StateMachine::digest() const { return fnv1a(serialize(LogPosition(0))); }

std::string StateMachine::serialize_snapshot() const { return serialize(applied_); }

Result<void> StateMachine::load_snapshot(std::string_view body) {
  proto::Snapshot in;
  if (body.size() > std::numeric_limits<int>::max() ||
      !in.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return std::unexpected(corrupt("does not decode"));
  }
  if (in.feature_level() > supported_level_) {
    return make_error(ErrorCode::kUnsupported,
                      fmt::format("state snapshot has feature level {}, this build supports {}: "
                                  "this member needs a newer release",
                                  in.feature_level(), supported_level_));
  }
  // Into a new machine first, so that a bad snapshot changes nothing here.
  StateMachine loaded(supported_level_);
  GANTRY_TRY(loaded.load_configs(in));
  GANTRY_TRY(loaded.load_progress(in));
  topics_ = std::move(loaded.topics_);
  groups_ = std::move(loaded.groups_);
  offsets_ = std::move(loaded.offsets_);
  delays_ = std::move(loaded.delays_);
  locks_ = std::move(loaded.locks_);
  subscriptions_ = std::move(loaded.subscriptions_);
  transactions_ = std::move(loaded.transactions_);
  last_import_ = loaded.last_import_;
  epochs_ = std::move(loaded.epochs_);
  membership_ = std::move(loaded.membership_);
  trim_ = loaded.trim_;
  applied_ = loaded.applied_;
  feature_level_ = loaded.feature_level_;
  import_next_part_ = loaded.import_next_part_;
  last_digest_ = {};
  notify([](Listener& listener) { listener.on_reload(); });
  return {};
}

Result<void> StateMachine::load_configs(const proto::Snapshot& in) {
  for (const proto::TopicConfig& topic : in.topics()) {
    auto config = from_proto(topic);
    if (!config) return std::unexpected(corrupt(config.error().message));
    topics_.put(*std::move(config));
  }
  topics_.mutable_version() = from_proto(in.topics_version());
  for (const proto::GroupConfig& group : in.groups()) {
    auto config = from_proto(group);
    if (!config) return std::unexpected(corrupt(config.error().message));
    groups_.put(*std::move(config));
  }
  for (const proto::Forbidden& entry : in.forbidden()) {
    groups_.set_forbidden(entry.group(), entry.topic(), entry.bits());
  }
  groups_.mutable_version() = from_proto(in.groups_version());
  for (const proto::GroupSubscriptions& entry : in.subscriptions()) {
    auto subscriptions = from_proto(entry);
    if (!subscriptions) return std::unexpected(corrupt(subscriptions.error().message));
    subscriptions_.put(entry.group(), *std::move(subscriptions));
  }
  return {};
}

Result<void> StateMachine::load_progress(const proto::Snapshot& in) {
  for (const proto::QueueOffsets& offsets : in.offsets()) {
    if (offsets.queue_ids_size() != offsets.offsets_size()) {
      return std::unexpected(
          corrupt(fmt::format("offsets of {}@{}: {} queue ids but {} offsets", offsets.topic(),
                              offsets.group(), offsets.queue_ids_size(), offsets.offsets_size())));
    }
    for (int i = 0; i < offsets.queue_ids_size(); ++i) {
      offsets_.commit(offsets.group(), offsets.topic(), offsets.queue_ids(i),
                      QueueOffset(offsets.offsets(i)));
    }
  }
  for (const proto::QueueSet& set : in.pending_resets()) {
    for (const std::int32_t queue_id : set.queue_ids()) {
      const auto offset = offsets_.committed(set.group(), set.topic(), queue_id);
      if (!offset) {
        return std::unexpected(corrupt(fmt::format("pending reset of {}@{} queue {} has no offset",
                                                   set.topic(), set.group(), queue_id)));
      }
      offsets_.reset(set.group(), set.topic(), queue_id, *offset, true);
    }
  }
  offsets_.mutable_version() = from_proto(in.offsets_version());
  for (const proto::DelayOffset& entry : in.delay_offsets()) {
    delays_.set(entry.level(), QueueOffset(entry.offset()));
  }
  delays_.mutable_version() = from_proto(in.delay_version());
  for (const proto::QueueLock& lock : in.locks()) {
    if (lock.client().empty()) {
      return std::unexpected(corrupt(fmt::format("a queue lock of {} has no owner", lock.group())));
    }
    locks_.put(lock.group(), from_proto(lock.queue()), {lock.client(), lock.renewed_ms()});
  }
  for (const proto::OpenTransaction& open : in.transactions()) {
    if (!transactions_.put(from_proto(open))) {
      return std::unexpected(
          corrupt(fmt::format("the open transaction at {} is out of order", open.position())));
    }
  }
  last_import_ = LogPosition(in.last_import());
  for (const proto::Epoch& epoch : in.epochs()) {
    if (!epochs_.append(Epoch{Term(epoch.term()), LogPosition(epoch.start()), epoch.flags()})) {
      return std::unexpected(corrupt(
          fmt::format("epoch of term {} at {} is out of order", epoch.term(), epoch.start())));
    }
  }
  if (in.applied() < 0 || in.trim() < 0 || in.import_next_part() < 0 || in.last_import() < 0) {
    return std::unexpected(corrupt("negative position"));
  }
  if (in.has_membership()) {
    auto members = raft::Membership::decode(in.membership().members());
    if (!members) return std::unexpected(corrupt(members.error().message));
    membership_ = {LogPosition(in.membership().start()), LogPosition(in.membership().end()),
                   std::move(*members)};
  }
  trim_ = LogPosition(in.trim());
  applied_ = LogPosition(in.applied());
  feature_level_ = std::max(in.feature_level(), kBaseFeatureLevel);
  import_next_part_ = in.import_next_part();
  return {};
}

}  // namespace gantry::state
