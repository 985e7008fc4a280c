// SPDX-License-Identifier: Apache-2.0
// Raises the replicated feature level as soon as every member's build supports a higher one, so
// that a set that is upgraded one by one writes nothing that a member cannot read, and can go back
// until the last one is upgraded. Decided by the leader, who knows every member from its hello; a
// member that is not connected holds the level where it is. Owned by BrokerApp, log shard only.
#pragma once

#include <memory>

#include "broker/core/storage.h"

namespace gantry::broker {

class GroupPeers;

class FeatureLevel final : private RoleObserver {
 public:
  FeatureLevel(Storage& storage, GroupPeers& peers);
  ~FeatureLevel() override;

 private:
  void on_leading(Term term) override;
  void on_group_changed() override;
  // The highest level that all members support; 0: a member is not connected.
  std::int32_t supported_by_all() const;
  void raise_if_possible();

  Storage& storage_;
  GroupPeers& peers_;
  bool raising_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::broker
