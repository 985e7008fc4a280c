// SPDX-License-Identifier: Apache-2.0
// Changes of who belongs to the broker set, one member at a time, and of who leads it. Decided by
// the leader only; every request may be repeated, a member is named by its uuid. Log shard only.
//
//   join     a connected stranger becomes a learner: it gets the log and is not counted
//   promote  a learner that has caught up becomes a voter
//   remove   a member leaves; the leader hands over first
//
// But one, which is there for a set that cannot have a leader any more:
//
//   recover  this member begins again as the only voter; see raft::Core::recover()
//
// Errors: kUnavailable - not the leader, or ask again in a moment; kNotFound - no such member;
// kConflict and kInvalidArgument - refused, the message says why.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/core/context.h"
#include "log/news.h"
#include "peer/hello.h"
#include "replog/replica.h"

namespace gantry::broker {

class GroupPeers;

class GroupMembers final : private RoleObserver {
 public:
  using Done = replog::Replica::Done;
  // Every voter of the set but this member, which is asked, is in one of the two.
  struct Recovery {
    std::vector<raft::MemberId> survivors, given_up;
  };
  using HandedOver = std::move_only_function<void(Result<raft::MemberId> leader)>;

  GroupMembers(BrokerContext& context, GroupPeers& peers);
  ~GroupMembers() override;

  // `uuid` or `address` (host:port of the Raft listener) or both. `done` when committed.
  void join(const raft::MemberId& uuid, const std::string& address, Done done);
  void promote(const raft::MemberId& uuid, Done done);
  void remove(const raft::MemberId& uuid, Done done);
  // Begins to hand over leadership; empty: to the voter that is furthest ahead.
  Result<void> transfer(const raft::MemberId& target);
  // ... and waits: `done` gets the next leader, or why leadership stays or nobody is known to have
  // it, after some seconds at most.
  void hand_over(const raft::MemberId& target, HandedOver done);
  // Durable when it returns. Done already is done.
  Result<void> recover(const Recovery& recovery);

 private:
  struct Plan {
    raft::Membership next;
    std::string what;  // for the log; empty: it is so already
  };

  const raft::Core& core() const { return storage_.replica().core(); }
  Result<peer::Hello> candidate(const raft::MemberId& uuid, const std::string& address);
  Result<void> check_candidate(const peer::Hello& hello) const;
  Result<void> check_removal(const raft::Membership& next) const;
  Result<Plan> plan_join(const raft::MemberId& uuid, const std::string& address);
  Result<Plan> plan_promotion(const raft::MemberId& uuid) const;
  Result<Plan> plan_removal(const raft::MemberId& uuid);
  // Changes the membership, or says why not; a refusal that repeats itself is logged once.
  void carry_out(const std::string& request, Result<Plan> plan, Done done);
  void refused(const std::string& request, const Error& why);
  bool recovered_already(const Recovery& recovery) const;
  Result<void> check_recovery(const Recovery& recovery) const;
  void on_group_changed() override;
  void settle_hand_over();
  void end_hand_over(const Result<raft::MemberId>& leader);

  BrokerContext& context_;
  Storage& storage_;
  GroupPeers& peers_;
  log::News news_;  // of refusals, by request
  std::vector<HandedOver> handing_over_;
  std::unique_ptr<runtime::Timer> hand_over_timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::broker
