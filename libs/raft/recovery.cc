// SPDX-License-Identifier: Apache-2.0
// Core: how a group goes on that cannot elect anybody any more, because voters are lost for good.
// docs/adr/0009-recovery-without-a-majority.md says why this is safe.
#include <algorithm>

#include "raft/core.h"

namespace gantry::raft {
namespace {

// Candidates ask every one to two election timeouts.
constexpr int kHeardTimeouts = 4;
// The voters that are lost may have gone on to later terms. Their group and the new one never meet,
// but whoever compares terms only, as NameServers do, should take the new one for the later one.
constexpr std::int64_t kTermsAhead = 1000;
// They stand in every membership, which has to fit into the file of the hard state.
constexpr std::size_t kRecoveriesMax = 8;

std::string text(const LogEnd& log) {
  return "term " + std::to_string(log.last_term.v) + ", end " + std::to_string(log.end.v);
}

std::string text(const Member& member) {
  return "member " + std::to_string(member.number) + " (" + member.id + " at " + member.address +
         ")";
}

}  // namespace

void Core::note_heard(const MemberId& from, const LogEnd& log, const LogEnd& committed) {
  if (role_ == Role::kLeader || !memberships_.current().is_voter(from)) return;
  Heard& heard = heard_[from];
  heard.log = log;
  heard.committed = committed;
  heard.ticks = 0;
}

void Core::tick_heard() {
  for (auto& [id, heard] : heard_) ++heard.ticks;
  std::erase_if(heard_, [this](const auto& entry) {
    return entry.second.ticks > kHeardTimeouts * options_.election_ticks;
  });
}

// Whether the own log holds what another one has up to there, which is known to be committed.
bool Core::holds(const LogEnd& committed) const {
  if (committed.end <= commit_) return true;
  return committed.end <= end_ && committed.last_term == epochs_.term_before(committed.end);
}

Result<void> Core::check_survivor(const Member& member, bool survives) const {
  const auto it = heard_.find(member.id);
  if (!survives) {
    if (it == heard_.end()) return {};
    return make_error(ErrorCode::kUnavailable,
                      text(member) +
                          " is not named as a survivor, but was heard of a moment ago: name it, "
                          "or stop it for good and ask again");
  }
  if (it == heard_.end()) {
    return make_error(ErrorCode::kUnavailable,
                      text(member) + " has not said yet how far its log goes; ask again");
  }
  if (it->second.log > log_end()) {
    return make_error(ErrorCode::kConflict, text(member) + " has a longer log (" +
                                                text(it->second.log) + ") than this member (" +
                                                text(log_end()) + "): recover from that one");
  }
  if (!holds(it->second.committed)) {
    return make_error(ErrorCode::kConflict, text(member) + " has committed up to " +
                                                text(it->second.committed) +
                                                ", which this member does not hold: recover from "
                                                "that one");
  }
  return {};
}

Result<void> Core::may_recover(const std::vector<MemberId>& survivors) const {
  const auto conflict = [](std::string why) {
    return make_error(ErrorCode::kConflict, std::move(why));
  };
  const Membership& group = memberships_.current();
  if (hard_.given_up) return conflict("this member was given up by an earlier recovery");
  if (!group.is_voter(options_.self)) {
    return conflict("this member is no voter of its group: recover from one that is");
  }
  if (follows_live_leader()) {
    return conflict("member " + leader_ + " leads the group: nothing is to be recovered");
  }
  if (group.voter_count() == 1) {
    return conflict("this member is the only voter: it leads by itself");
  }
  if (group.recoveries.size() >= kRecoveriesMax) {
    return conflict("this group has been recovered " + std::to_string(kRecoveriesMax) +
                    " times: give its messages to a new one");
  }
  if (installing_) return conflict("this member has not got the snapshot of its leader completely");
  for (const MemberId& id : survivors) {
    if (group.is_voter(id)) continue;
    return make_error(ErrorCode::kInvalidArgument, "survivor " + id + " is no voter of this group");
  }
  std::size_t answering = 1;
  std::size_t sound = hard_.recovering ? 0 : 1;
  for (const Member& member : group.members) {
    if (!member.voter || member.id == options_.self) continue;
    const bool survives = std::ranges::find(survivors, member.id) != survivors.end();
    GANTRY_TRY(check_survivor(member, survives));
    if (!survives) continue;
    ++answering;
    if (!heard_.at(member.id).recovering) ++sound;
  }
  if (sound >= group.quorum() || answering == group.voter_count()) {
    return conflict(std::to_string(answering) + " of " + std::to_string(group.voter_count()) +
                    " voters answer: they elect a leader by themselves");
  }
  return {};
}

Result<void> Core::recover(const std::vector<MemberId>& survivors, const std::string& id) {
  GANTRY_TRY(may_recover(survivors));
  Membership alone;
  alone.recoveries = memberships_.current().recoveries;
  alone.recoveries.push_back({id, {}});
  for (const Member& member : memberships_.current().members) {
    if (member.id == options_.self) {
      alone.put(member);
    } else {
      alone.recoveries.back().given_up.push_back(member.id);
    }
  }
  memberships_.reset({LogPosition(0), LogPosition(0), alone});
  hard_.recovered = std::move(alone);
  hard_.term = hard_.term + (kTermsAhead - 1);
  begin_election(false);  // saves; the only voter has won it
  return {};
}

bool Core::give_up(const Membership& newer) {
  if (hard_.given_up || memberships_.current().members.empty()) return false;
  if (kinship(memberships_.current(), newer) != Kinship::kNewer) return false;
  if (!newer.gave_up(options_.self)) return false;
  become_follower(hard_.term, {});
  heard_.clear();
  hard_.recovered = newer;
  // One of them is enough to be told the same again.
  std::erase_if(hard_.recovered.members, [](const Member& member) { return !member.voter; });
  hard_.recovered.members.resize(std::min<std::size_t>(hard_.recovered.members.size(), 1));
  memberships_.reset({LogPosition(0), LogPosition(0), hard_.recovered});
  hard_.given_up = true;
  output_.role_changed = true;
  save_hard_state();
  return true;
}

}  // namespace gantry::raft
