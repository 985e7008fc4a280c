// SPDX-License-Identifier: Apache-2.0
// Builders of state commands: the body of a record in the command topic, which every member applies
// in log order (StateMachine). A command carries everything the leader decided, its clock included,
// so that applying it needs neither clock nor randomness. Format: docs/formats/command.md.
//
// Pure functions, usable on every thread. Normally called through Proposals and OffsetManager,
// which also keep the leader's view; direct use is for tools and tests.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"
#include "protocol/data_version.h"
#include "protocol/subscription_group_config.h"
#include "protocol/topic_config.h"
#include "state/lock_table.h"
#include "state/subscription_table.h"
#include "state/transaction_table.h"

namespace gantry::state {

// The replicated feature level every group starts with.
inline constexpr std::int32_t kBaseFeatureLevel = 1;
// The highest feature level whose commands this build understands.
inline constexpr std::int32_t kSupportedFeatureLevel = 4;
// From here on members compare their state (compare_state_command).
inline constexpr std::int32_t kCompareStateLevel = 2;
// From here on the subscriptions of consumer groups are replicated (put_subscriptions_command).
inline constexpr std::int32_t kSubscriptionsLevel = 3;
// From here on half messages are taken, and members know which transactions are open.
inline constexpr std::int32_t kTransactionsLevel = 4;

// What the leader's clock and term were when it decided: they become the data version's.
struct CommandStamp {
  std::int64_t timestamp_ms = 0;
  Term term;
};

// `body` is the serialised command; it may be written only while the replicated feature level is at
// least `feature_level`.
struct EncodedCommand {
  std::string body;
  std::int32_t feature_level = kBaseFeatureLevel;
};

// The digest of the tables right behind a compare_state record that ends at `position`.
struct StateDigest {
  LogPosition position;
  std::uint64_t digest = 0;

  bool operator==(const StateDigest&) const = default;
};

struct OffsetEntry {
  std::string group;
  std::string topic;
  std::int32_t queue_id = 0;
  QueueOffset offset;

  bool operator==(const OffsetEntry&) const = default;
};

struct QueueKey {
  std::string group;
  std::string topic;
  std::int32_t queue_id = 0;

  bool operator==(const QueueKey&) const = default;
};

struct ForbiddenEntry {
  std::string group;
  std::string topic;
  std::int32_t bits = 0;  // as protocol's perm bits; 0 removes the entry

  bool operator==(const ForbiddenEntry&) const = default;
};

struct DelayOffsetEntry {
  std::int32_t level = 0;  // 1-based
  QueueOffset next;        // first message of the level that has not been delivered

  bool operator==(const DelayOffsetEntry&) const = default;
};

// Whether a deleted group's offsets go too (code 207, cleanOffset).
enum class CleanOffsets : std::uint8_t { kNo, kYes };
// Whether a reset also answers the next pull of each queue with OFFSET_RESET (code 222).
enum class PendingReset : std::uint8_t { kNo, kYes };

EncodedCommand put_topics_command(const CommandStamp& stamp,
                                  std::span<const protocol::TopicConfig> topics);
// Deletes the topics and every group's offsets of them.
EncodedCommand delete_topics_command(const CommandStamp& stamp, std::span<const std::string> names);
EncodedCommand put_groups_command(const CommandStamp& stamp,
                                  std::span<const protocol::SubscriptionGroupConfig> groups);
EncodedCommand delete_group_command(const CommandStamp& stamp, std::string_view name,
                                    CleanOffsets clean);
// `consumed_resets`: queues whose pending reset a pull has taken; applied before the offsets.
EncodedCommand commit_offsets_command(const CommandStamp& stamp,
                                      std::span<const OffsetEntry> offsets,
                                      std::span<const QueueKey> consumed_resets = {});
EncodedCommand reset_offsets_command(const CommandStamp& stamp,
                                     std::span<const OffsetEntry> offsets, PendingReset pending);
// An empty name means any; both empty is refused when applied.
EncodedCommand delete_offsets_command(const CommandStamp& stamp, std::string_view group,
                                      std::string_view topic);
// `topic` empty: all topics of the source group. Each target topic's offsets are replaced.
EncodedCommand clone_offsets_command(const CommandStamp& stamp, std::string_view source_group,
                                     std::string_view target_group, std::string_view topic);
EncodedCommand set_forbidden_command(const CommandStamp& stamp,
                                     std::span<const ForbiddenEntry> entries);
// Sets delay progress outright. Only for administration; normal progress is carried by the
// delivered messages (StateMachine::apply_delay_step).
EncodedCommand set_delay_offsets_command(const CommandStamp& stamp,
                                         std::span<const DelayOffsetEntry> offsets);
// Raises the replicated feature level; lower values have no effect.
EncodedCommand set_feature_level_command(const CommandStamp& stamp, std::int32_t level);
// Allows every member to delete its log before `position`; lower values have no effect.
EncodedCommand trim_log_command(const CommandStamp& stamp, LogPosition position);

// `client` owns the queues of `group`; every lock last renewed before `expired_before_ms` goes.
EncodedCommand lock_queues_command(const CommandStamp& stamp, std::string_view group,
                                   std::string_view client, std::span<const LockedQueue> queues,
                                   std::int64_t expired_before_ms);
EncodedCommand unlock_queues_command(const CommandStamp& stamp, std::string_view group,
                                     std::string_view client, std::span<const LockedQueue> queues);

// Every member compares `last`, the leader's digest at the command of this kind before, with its
// own there; position 0: the leader has none.
EncodedCommand compare_state_command(const CommandStamp& stamp, const StateDigest& last);

// `subscriptions` is all that is known of the group from now on; without topics, nothing is.
EncodedCommand put_subscriptions_command(const CommandStamp& stamp, std::string_view group,
                                         const GroupSubscriptions& subscriptions);

// The producers of the half messages at `positions` are asked once more.
EncodedCommand count_checks_command(const CommandStamp& stamp,
                                    std::span<const LogPosition> positions);

// The content of an Apache store's config/*.json, and the transactions that are open in its log.
struct ImportedState {
  protocol::DataVersion topics_version;
  std::vector<protocol::TopicConfig> topics;
  protocol::DataVersion groups_version;
  std::vector<protocol::SubscriptionGroupConfig> groups;
  std::vector<ForbiddenEntry> forbidden;
  protocol::DataVersion offsets_version;
  std::vector<OffsetEntry> offsets;
  protocol::DataVersion delay_version;
  std::vector<DelayOffsetEntry> delay_offsets;
  std::vector<OpenTransaction> transactions;
};

// A bound for one command's size, well under RocketMQ's largest message (4 MiB). Only a single
// topic or group config that is larger itself makes a larger command.
inline constexpr std::size_t kCommandBytesMax = 1048576;

// Replaces topics, groups, forbidden bits, offsets, delay progress and open transactions. Several
// commands when one would exceed kCommandBytesMax: append all of them, in order;
// StateMachine::import_open() is true until the last has been applied, and an import that broke off
// is simply begun again.
std::vector<EncodedCommand> import_state_commands(const CommandStamp& stamp,
                                                  const ImportedState& imported);

}  // namespace gantry::state
