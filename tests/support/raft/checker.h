// SPDX-License-Identifier: Apache-2.0
// What has to hold in a group at any time, judged from outside: by the model logs, not by what the
// cores believe.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/raft/group.h"

namespace gantry::raft::model {

class Checker {
 public:
  Checker(Group& group, Membership initial) : group_(group), membership_(std::move(initial)) {}

  // To be called from Group::on_output and Group::on_progress.
  void output(Member& member, const Output& output);
  void progress(const Member& member);
  // A member is about to lose what is behind `keep`, or has started.
  void restarted(const Member& member) { checked_.erase(member.id); }

  // The group is about to begin again with what `chosen` has: the rest is lost, by decision, and
  // what members of the group of before do is their own business.
  void recovers(const Member& chosen);

  // Whether a committed record that this member would lose is held by another voter. Losing every
  // copy is the risk that ASYNC_FLUSH takes; no rule of the core could make up for it.
  bool may_lose(const Member& member, LogPosition keep) const;

  // The first thing that did not hold.
  const std::optional<std::string>& violation() const { return violation_; }
  const std::vector<Record>& committed() const { return committed_; }
  LogPosition committed_end() const {
    return committed_.empty() ? LogPosition(0) : committed_.back().end;
  }

 private:
  void violate(const Member& member, const std::string& what);
  void check_commit(Member& member);
  void check_quorum(const Member& leader);
  void check_new_leader(const Member& member);
  void check_matching(const Member& member);
  void check_epochs(const Member& member);
  std::size_t committed_index(LogPosition start) const;
  bool of_before(const Member& member) const;

  Group& group_;
  Membership membership_;                        // the newest committed one
  std::map<std::int64_t, std::string> leaders_;  // term -> who led it
  std::vector<Record> committed_;                // ever, by anybody
  std::map<MemberId, LogPosition> checked_;      // how far the commits were compared
  std::map<std::uint64_t, std::set<MemberId>> written_by_, durable_by_;  // record id -> who had it
  std::size_t recoveries_ = 0;                                           // of the group that counts
  std::optional<std::string> violation_;
};

}  // namespace gantry::raft::model
