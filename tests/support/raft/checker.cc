// SPDX-License-Identifier: Apache-2.0
#include "tests/support/raft/checker.h"

#include <algorithm>

namespace gantry::raft::model {
namespace {

std::string text(const Record& record) {
  return "[" + std::to_string(record.start.v) + "," + std::to_string(record.end.v) + ") of term " +
         std::to_string(record.term.v) + " #" + std::to_string(record.id);
}

}  // namespace

void Checker::violate(const Member& member, const std::string& what) {
  if (!violation_) violation_ = "member " + member.id + ": " + what;
}

std::size_t Checker::committed_index(LogPosition start) const {
  return static_cast<std::size_t>(std::ranges::lower_bound(committed_, start, {}, &Record::start) -
                                  committed_.begin());
}

void Checker::recovers(const Member& chosen) {
  recoveries_ = chosen.core->membership().recoveries.size() + 1;
  while (!committed_.empty() && committed_.back().end > chosen.log.begin()) {
    const Record* own = chosen.log.find(committed_.back().start);
    if (own != nullptr && *own == committed_.back()) break;
    committed_.pop_back();
  }
}

bool Checker::of_before(const Member& member) const {
  const Membership& group = member.core->membership();
  return member.core->given_up() ||
         (!group.members.empty() && group.recoveries.size() < recoveries_);
}

void Checker::output(Member& member, const Output& output) {
  if (output.fault) return violate(member, "fault: " + *output.fault);
  if (of_before(member)) return;
  if (output.start_term) check_new_leader(member);
  if (output.cut || output.accept || output.install) {
    check_matching(member);
    check_epochs(member);
  }
  if (output.commit_advanced) {
    if (member.core->leading()) check_quorum(member);
    check_commit(member);
  }
}

void Checker::progress(const Member& member) {
  const auto note = [&](std::map<std::uint64_t, std::set<MemberId>>& by, LogPosition to) {
    const auto& records = member.log.records();
    for (auto it = records.rbegin(); it != records.rend(); ++it) {
      if (it->end <= to && !by[it->id].insert(member.id).second) return;
    }
  };
  note(written_by_, member.log.written());
  note(durable_by_, member.log.durable());
}

// A leader commits only what a majority of its voters has, or once had, where the mode wants it.
void Checker::check_quorum(const Member& leader) {
  const Core& core = *leader.core;
  const auto& records = leader.log.records();
  const auto last = std::ranges::find(records, core.committed(), &Record::end);
  if (last == records.end()) {
    return violate(leader, "commits " + std::to_string(core.committed().v) +
                               ", which is no end of a record it has");
  }
  if (last->term != core.term()) {
    return violate(
        leader, "commits " + text(*last) + " by counting in term " + std::to_string(core.term().v));
  }
  const auto have = [&](const auto& by, const Membership& membership) {
    const auto it = by.find(last->id);
    return it == by.end()
               ? std::size_t{0}
               : static_cast<std::size_t>(std::ranges::count_if(
                     it->second, [&](const MemberId& id) { return membership.is_voter(id); }));
  };
  const Membership& newest = core.membership();
  const std::size_t on_disk = have(durable_by_, newest);
  if (on_disk >= newest.quorum()) return;
  if (group_.settings.mode == CommitMode::kDurable) {
    return violate(leader, "commits " + text(*last) + ", which only " + std::to_string(on_disk) +
                               " voters have on their disk");
  }
  // What lies before a membership that is not committed counts by the one before.
  const auto& all = core.membership_log().all();
  const auto in_force = std::ranges::find_if(
      all.rbegin(), all.rend(), [&](const auto& entry) { return entry.start < last->end; });
  const Membership& voters = in_force == all.rend() ? all.front().membership : in_force->membership;
  const std::size_t written = have(written_by_, voters);
  if (written < voters.quorum()) {
    violate(leader, "commits " + text(*last) + ", which only " + std::to_string(written) +
                        " voters have written");
  }
}

void Checker::check_commit(Member& member) {
  const LogPosition commit = member.core->committed();
  if (commit > member.log.end()) {
    return violate(member, "has committed " + std::to_string(commit.v) + " but its log ends at " +
                               std::to_string(member.log.end().v));
  }
  LogPosition& checked = checked_[member.id];
  for (const Record& record : member.log.records()) {
    if (record.start < checked) continue;
    if (record.end > commit) break;
    const std::size_t i = committed_index(record.start);
    if (i == committed_.size()) {
      if (record.start != committed_end()) return violate(member, "a hole before " + text(record));
      committed_.push_back(record);
      if (record.membership) membership_ = *record.membership;
    } else if (committed_[i] != record) {
      return violate(member, "has committed " + text(record) + " where " + text(committed_[i]) +
                                 " was committed");
    }
  }
  checked = commit;
}

void Checker::check_new_leader(const Member& member) {
  const std::string who = member.id + " start " + std::to_string(member.start);
  const auto [it, added] = leaders_.emplace(member.core->term().v, who);
  if (!added && it->second != who) {
    return violate(member, "leads term " + std::to_string(it->first) + " beside " + it->second);
  }
  for (std::size_t i = committed_index(member.log.begin()); i < committed_.size(); ++i) {
    const Record* own = member.log.find(committed_[i].start);
    if (own == nullptr || *own != committed_[i]) {
      return violate(member, "leads term " + std::to_string(it->first) + " without " +
                                 text(committed_[i]) + ", which is committed");
    }
  }
}

// Two logs that have a byte of the same term at the same place are equal before it.
void Checker::check_matching(const Member& member) {
  const auto& own = member.log.records();
  for (const auto& [id, other] : group_.members()) {
    if (id == member.id) continue;
    bool equal = false;
    for (auto it = own.rbegin(); it != own.rend() && it->start >= other.log.begin(); ++it) {
      const Record* there = other.log.find(it->start);
      equal = equal || (there != nullptr && there->term == it->term);
      if (!equal || (there != nullptr && *there == *it)) continue;
      return violate(member, "has " + text(*it) + " before what it shares with member " + id +
                                 (there == nullptr ? ", which has nothing there"
                                                   : ", which has " + text(*there)));
    }
  }
}

// What the core believes about terms is what stands in the log.
void Checker::check_epochs(const Member& member) {
  std::vector<Epoch> there;
  for (const Record& record : member.log.records()) {
    if (record.starts_term) there.push_back({record.term, record.start, false});
  }
  if (member.core->epochs().starting_in(member.log.begin(), member.log.end()) != there) {
    violate(member, "the epochs of the core are not those of its log");
  }
}

bool Checker::may_lose(const Member& member, LogPosition keep) const {
  const std::size_t first = committed_index(keep);
  // Only what it has: what it never had it cannot lose.
  for (std::size_t i = first; i < committed_.size(); ++i) {
    if (member.log.find(committed_[i].start) == nullptr) continue;
    bool held = false;
    for (const auto& [id, other] : group_.members()) {
      if (id == member.id || !membership_.is_voter(id)) continue;
      const Record* there = other.log.find(committed_[i].start);
      held = held || other.log.begin() > committed_[i].start ||
             (there != nullptr && *there == committed_[i] && there->end <= other.log.written());
    }
    if (!held) return false;
  }
  return true;
}

}  // namespace gantry::raft::model
