// SPDX-License-Identifier: Apache-2.0
// The subscription groups of a broker set and what each may not do, as committed. Changed only by
// StateMachine; readers use it on the log shard.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_hash.h"
#include "protocol/data_version.h"
#include "protocol/subscription_group_config.h"

namespace gantry::state {

class GroupTable {
 public:
  // group -> topic -> forbidden perm bits (code 353); sorted, no zero bits.
  using ForbiddenMap =
      std::map<std::string, std::map<std::string, std::int32_t, std::less<>>, std::less<>>;

  // nullptr when there is no such group. Valid until the next change of the table.
  const protocol::SubscriptionGroupConfig* find(std::string_view name) const;
  std::size_t size() const { return groups_.size(); }
  const protocol::DataVersion& data_version() const { return version_; }

  // By name. Rebuilt at the first call after a group was added or removed.
  const std::vector<const protocol::SubscriptionGroupConfig*>& all() const;

  // Perm bits that `group` may not use on `topic`; 0 = nothing forbidden.
  std::int32_t forbidden(std::string_view group, std::string_view topic) const;
  const ForbiddenMap& all_forbidden() const { return forbidden_; }

 private:
  friend class StateMachine;
  // True when the table changed: putting an equal config is no change.
  bool put(protocol::SubscriptionGroupConfig config);
  bool erase(std::string_view name);
  bool set_forbidden(std::string_view group, std::string_view topic, std::int32_t bits);
  void clear();
  protocol::DataVersion& mutable_version() { return version_; }

  StringMap<protocol::SubscriptionGroupConfig> groups_;
  ForbiddenMap forbidden_;
  protocol::DataVersion version_;
  mutable std::vector<const protocol::SubscriptionGroupConfig*> sorted_;
  mutable bool sorted_valid_ = false;
};

}  // namespace gantry::state
