// SPDX-License-Identifier: Apache-2.0
// Consumer offsets as the leader answers them: the committed table plus what consumers have
// committed since. New offsets are visible at once and go into the log in batches; a change of
// leader loses at most what came since the last batch, which consumers then see again.
//
// One per StateMachine, used on the log shard only. On a follower it shows the committed table.
// Pending resets (code 222): reset() makes the new offset visible and pending; while pending,
// commits are ignored and query() answers the reset offset; the first pull takes it
// (take_pending_reset), which is replicated with the next batch. A new leader that has not seen
// that batch resets the consumer to the same offset once more.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/types.h"
#include "replog/command_log.h"
#include "state/commands.h"
#include "state/queue_tree.h"
#include "state/state_machine.h"

namespace gantry::state {

class OffsetManager final : public StateMachine::Listener {
 public:
  using Done = replog::CommandLog::Done;
  enum class CommitResult : std::uint8_t {
    kStored,
    kPendingReset,  // not stored: answer 0 with `Offset has been previously reset`
    kNotLeading,    // not stored
  };

  // All references must outlive this object.
  OffsetManager(StateMachine& machine, replog::CommandLog& log, Clock& clock);
  ~OffsetManager() override;

  // Call when this member's term-start record has been applied: everything before is in the table.
  void begin_term(Term term);
  // Drops all that was not committed.
  void end_term();

  std::optional<QueueOffset> query(std::string_view group, std::string_view topic,
                                   std::int32_t queue_id) const;
  CommitResult commit(std::string_view group, std::string_view topic, std::int32_t queue_id,
                      QueueOffset offset);

  // How far a consumer has pulled: memory of this leader only. Falls back to query().
  std::optional<QueueOffset> query_pull_offset(std::string_view group, std::string_view topic,
                                               std::int32_t queue_id) const;
  void commit_pull_offset(std::string_view group, std::string_view topic, std::int32_t queue_id,
                          QueueOffset offset);

  bool has_pending_reset(std::string_view group, std::string_view topic,
                         std::int32_t queue_id) const;
  // For the pull path: the offset to answer OFFSET_RESET with, once. Cheap when nothing is pending.
  std::optional<QueueOffset> take_pending_reset(std::string_view group, std::string_view topic,
                                                std::int32_t queue_id);

  // The leader's view of all queues of topic@group, of a group's topics and a topic's groups.
  std::map<std::int32_t, QueueOffset> queues(std::string_view group, std::string_view topic) const;
  std::vector<std::string> topics_of(std::string_view group) const;  // sorted
  std::vector<std::string> groups_of(std::string_view topic) const;  // sorted

  // Each appends one command behind a flush of what was committed before it. `done` may be empty.
  void reset(std::vector<OffsetEntry> entries, PendingReset pending, Done done);
  void remove(std::string_view group, std::string_view topic, Done done);  // empty = any, not both
  void clone(std::string_view source_group, std::string_view target_group, std::string_view topic,
             Done done);

  // Call from a timer: flushes when that much time has passed since the last time, there is
  // something to write and no batch is on its way.
  void flush_if_due(std::int64_t interval_us);
  // Writes everything now (shutdown, hand-over, before a delete). `done` gets the first error, or
  // success once all of it, and what was on its way, is applied. It may be empty.
  void flush(Done done);
  // Queues with a change that is not yet in the log.
  std::size_t dirty() const { return dirty_; }

 private:
  enum class ResetState : std::uint8_t { kFromTable, kPending, kTaken };
  struct Entry {
    std::optional<QueueOffset> offset;  // nullopt: as in the table
    ResetState reset = ResetState::kFromTable;
    bool dirty_offset = false;
    bool dirty_taken = false;
    std::uint64_t version = 0;

    bool dirty() const { return dirty_offset || dirty_taken; }
  };
  struct Sent {
    QueueKey key;
    std::uint64_t version = 0;
  };
  struct Batch {
    std::vector<OffsetEntry> offsets;
    std::vector<QueueKey> taken;
    std::vector<Sent> sent;
    std::size_t bytes = 0;
  };
  struct Waiter {
    Done done;
    std::optional<Error> error;
  };

  void on_offsets_removed(std::string_view group, std::string_view topic) override;
  void on_reload() override;

  CommandStamp stamp() const;
  // The entry with a new version, made when missing.
  Entry& touch(std::string_view group, std::string_view topic, std::int32_t queue_id);
  void set_dirty(Entry& entry, bool offset, bool taken);
  bool erase_if_version(const Sent& sent);
  std::vector<Batch> take_dirty();
  void append_dirty();
  void append_batch(Batch batch);
  void batch_done(const std::vector<Sent>& sent, const Result<void>& result);
  void run_waiters();
  void append(EncodedCommand command, Done done);
  void clear_overlay();
  void recount();

  StateMachine& machine_;
  replog::CommandLog& log_;
  Clock& clock_;
  Term term_;
  bool leading_ = false;
  QueueTree<Entry> overlay_;  // dirty, or on their way into the table
  QueueTree<QueueOffset> pull_offsets_;
  std::size_t dirty_ = 0;
  std::size_t pending_in_overlay_ = 0;
  std::size_t batches_in_flight_ = 0;
  std::vector<Waiter> waiters_;  // for no batch in flight
  std::uint64_t next_version_ = 1;
  std::int64_t last_flush_us_ = 0;
  // Replaced at every term: callbacks of an earlier one, or of a manager that is gone, find
  // nothing.
  std::shared_ptr<bool> guard_;
};

}  // namespace gantry::state
