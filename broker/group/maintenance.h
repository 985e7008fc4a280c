// SPDX-License-Identifier: Apache-2.0
// Takes this member out of service in order: before a restart, a drain of its node, or its removal.
// It hands over leadership and asks for no votes; as long as nobody can take over it refuses new
// messages and shows its topics as not writable, while consumers go on. Not kept over a restart.
// Log shard only.
#pragma once

#include <memory>
#include <string>

#include "broker/core/context.h"
#include "broker/group/group_members.h"

namespace gantry::broker {

class Maintenance final : private RoleObserver {
 public:
  Maintenance(BrokerContext& context, GroupMembers& members);
  ~Maintenance() override;

  void begin();
  void end();
  bool on() const { return on_; }
  // Nothing depends on this member any more: it leads nothing, or takes no message and has none
  // that is not committed.
  bool finished() const;
  // Why it still leads; empty: it does not, or has not tried yet.
  const std::string& obstacle() const { return obstacle_; }

 private:
  void on_following() override;
  void drive();
  void refuse_messages(bool refuse);

  BrokerContext& context_;
  GroupMembers& members_;
  bool on_ = false;
  std::string obstacle_;
  std::unique_ptr<runtime::Timer> drive_timer_;
};

}  // namespace gantry::broker
