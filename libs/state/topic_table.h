// SPDX-License-Identifier: Apache-2.0
// The topics of a broker set, as committed. Changed only by StateMachine; readers use it on the log
// shard. find() is on the hot path of every send and pull: one hash lookup, no allocation.
#pragma once

#include <string_view>
#include <vector>

#include "base/string_hash.h"
#include "protocol/data_version.h"
#include "protocol/topic_config.h"

namespace gantry::state {

class TopicTable {
 public:
  // nullptr when there is no such topic. Valid until the next change of the table.
  const protocol::TopicConfig* find(std::string_view name) const;
  std::size_t size() const { return topics_.size(); }
  const protocol::DataVersion& data_version() const { return version_; }

  // By name. Rebuilt at the first call after a topic was added or removed.
  const std::vector<const protocol::TopicConfig*>& all() const;

 private:
  friend class StateMachine;
  // True when the table changed: putting an equal config is no change.
  bool put(protocol::TopicConfig config);
  bool erase(std::string_view name);
  void clear();
  protocol::DataVersion& mutable_version() { return version_; }

  StringMap<protocol::TopicConfig> topics_;
  protocol::DataVersion version_;
  mutable std::vector<const protocol::TopicConfig*> sorted_;
  mutable bool sorted_valid_ = false;
  mutable LastFound<const protocol::TopicConfig> last_found_;
};

}  // namespace gantry::state
