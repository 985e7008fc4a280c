// SPDX-License-Identifier: Apache-2.0
// Consumer offsets as committed, and the resets that wait for a pull. Changed only by StateMachine;
// readers use it on the log shard. The leader's answers come from OffsetManager, which knows newer
// values than this table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"
#include "protocol/data_version.h"
#include "state/queue_tree.h"

namespace gantry::state {

class OffsetTable {
 public:
  struct Entry {
    QueueOffset offset;
    bool pending_reset = false;  // the next pull of the queue is answered with OFFSET_RESET
  };
  using Tree = QueueTree<Entry>;

  std::optional<QueueOffset> committed(std::string_view group, std::string_view topic,
                                       std::int32_t queue_id) const;
  // nullptr when nothing was ever committed there. Valid until the next change of the table.
  const Entry* find(std::string_view group, std::string_view topic, std::int32_t queue_id) const;
  const Tree::Queues* queues(std::string_view group, std::string_view topic) const;

  std::vector<std::string> topics_of(std::string_view group) const;  // sorted
  std::vector<std::string> groups_of(std::string_view topic) const;  // sorted; scans all groups
  const Tree& tree() const { return tree_; }
  // Number of queues with a pending reset.
  std::size_t pending_resets() const { return pending_resets_; }
  const protocol::DataVersion& data_version() const { return version_; }

 private:
  friend class StateMachine;
  // No effect while a reset of the queue is pending.
  void commit(std::string_view group, std::string_view topic, std::int32_t queue_id,
              QueueOffset offset);
  void reset(std::string_view group, std::string_view topic, std::int32_t queue_id,
             QueueOffset offset, bool pending);
  void consume_reset(std::string_view group, std::string_view topic, std::int32_t queue_id);
  // Either name may be empty for any, not both. True when something was removed.
  bool remove(std::string_view group, std::string_view topic);
  // Empty topic: all. The target's queues of each copied topic are replaced, resets are not copied.
  void clone(std::string_view source_group, std::string_view target_group, std::string_view topic);
  void clear();
  void clone_queues(const Tree::Queues& source, std::string_view target_group,
                    std::string_view topic);
  void count_pending();
  protocol::DataVersion& mutable_version() { return version_; }

  Tree tree_;
  std::size_t pending_resets_ = 0;
  protocol::DataVersion version_;
};

}  // namespace gantry::state
