// SPDX-License-Identifier: Apache-2.0
// How the leader changes the replicated tables, and its view of them: what is applied plus its own
// commands that are still on their way, so that decisions see their own writes. A send that creates
// a topic can be appended right behind the command that creates it.
//
// One per StateMachine, used on the log shard only. Whether a change is allowed (names, system
// topics, permissions) is the caller's decision, see name_rules.h and topic_rules.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "replog/command_log.h"
#include "state/commands.h"
#include "state/offset_manager.h"
#include "state/state_machine.h"

namespace gantry::state {

class Proposals {
 public:
  // Runs on the log shard once the change has been applied here, or with kUnavailable (not the
  // leader, or no longer), kDiskFull, kUnsupported (needs a higher replicated feature level).
  using Done = replog::CommandLog::Done;

  // All references must outlive this object.
  Proposals(StateMachine& machine, replog::CommandLog& log, OffsetManager& offsets, Clock& clock);
  Proposals(const Proposals&) = delete;
  Proposals& operator=(const Proposals&) = delete;
  ~Proposals();

  // Call when this member's term-start record has been applied; also begins the offsets' term.
  void begin_term(Term term);
  // Call when leadership ends: the view is the applied tables again. Ends the offsets' term too.
  void end_term();
  bool leading() const { return leading_; }

  // The leader's view. Pointers are valid until the next change of the view.
  const protocol::TopicConfig* find_topic(std::string_view name) const;
  const protocol::SubscriptionGroupConfig* find_group(std::string_view name) const;
  const GroupSubscriptions* find_subscriptions(std::string_view group) const;

  // Configs equal to the applied ones (and not being changed) are left out; when none is left,
  // `done` runs at once.
  void put_topics(std::vector<protocol::TopicConfig> topics, Done done);
  // Also removes every group's offsets of them. Names that do not exist are harmless.
  void delete_topics(std::vector<std::string> names, Done done);
  void put_groups(std::vector<protocol::SubscriptionGroupConfig> groups, Done done);
  void delete_group(std::string_view name, CleanOffsets clean, Done done);
  void set_forbidden(std::vector<ForbiddenEntry> entries, Done done);
  void set_feature_level(std::int32_t level, Done done);
  // What commands may be written at: the applied level, or one that is on its way.
  std::int32_t feature_level() const;
  void trim_log(LogPosition position, Done done);
  // Members compare their state with this one's as of the last comparison.
  void compare_state(Done done);
  // The caller has decided that `client` may own them, and keeps the leader's view of the locks.
  void lock_queues(std::string_view group, std::string_view client,
                   std::span<const LockedQueue> queues, std::int64_t now_ms,
                   std::int64_t expired_before_ms, Done done);
  void unlock_queues(std::string_view group, std::string_view client,
                     std::span<const LockedQueue> queues, Done done);
  // Replaces what is known of the group's subscriptions; without topics, forgets it. Also
  // kInvalidArgument: they are larger than a command may be.
  void put_subscriptions(std::string_view group, GroupSubscriptions subscriptions, Done done);
  // The producers of the half messages at `positions` are asked once more.
  void count_checks(std::span<const LogPosition> positions, Done done);
  // Replaces the tables, see import_state_commands(). Not visible before it is applied.
  void import(const ImportedState& imported, Done done);

 private:
  struct Overlays;

  CommandStamp stamp() const;
  // Why `command` may not be appended now; nullopt: it may.
  std::optional<Error> refusal(const EncodedCommand& command) const;
  // Appends a command that changes nothing in the view.
  void append(EncodedCommand command, Done done);

  StateMachine& machine_;
  replog::CommandLog& log_;
  OffsetManager& offsets_;
  Clock& clock_;
  Term term_;
  bool leading_ = false;
  std::uint64_t next_id_ = 1;
  std::shared_ptr<Overlays> overlays_;  // replaced at every term: late callbacks find nothing
};

}  // namespace gantry::state
