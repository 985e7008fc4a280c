// SPDX-License-Identifier: Apache-2.0
// Core: who leads. Pre-vote, stickiness, votes, check-quorum, transfer of leadership.
#include <algorithm>

#include "raft/core.h"

namespace gantry::raft {

void Core::reset_election_timer() {
  election_elapsed_ = 0;
  election_timeout_ = random_timeout();
}

// Also a voter whose removal is not known to be committed: the others may need what only it has
// (thesis, 4.2.2).
bool Core::may_campaign() const {
  if (installing_ || passive_) return false;
  return std::ranges::any_of(memberships_.all(), [&](const MembershipLog::Entry& entry) {
    return entry.membership.is_voter(options_.self);
  });
}

// Stickiness: while a leader is heard of, nobody else is voted for.
bool Core::follows_live_leader() const {
  if (role_ == Role::kLeader) return true;
  return !leader_.empty() && election_elapsed_ < options_.election_ticks;
}

void Core::campaign() {
  if (role_ != Role::kLeader && may_campaign()) begin_pre_vote();
}

void Core::begin_pre_vote() {
  role_ = Role::kPreCandidate;
  leader_.clear();
  output_.role_changed = true;
  reset_election_timer();
  ballots_.clear();
  ballots_[options_.self] = {true, hard_.recovering};
  for (const Member& member : memberships_.current().members) {
    if (!member.voter || member.id == options_.self) continue;
    send_with_term(member.id, hard_.term + 1, VoteRequest{true, false, log_end(), committed_end()});
  }
  count();
}

void Core::begin_election(bool transfer) {
  role_ = Role::kCandidate;
  leader_.clear();
  ++hard_.term;
  hard_.voted_for = options_.self;
  save_hard_state();
  matched_ = commit_;
  recover_to_.reset();
  output_.role_changed = true;
  reset_election_timer();
  ballots_.clear();
  ballots_[options_.self] = {true, hard_.recovering};
  for (const Member& member : memberships_.current().members) {
    if (!member.voter || member.id == options_.self) continue;
    send(member.id, VoteRequest{false, transfer, log_end(), committed_end()});
  }
  count();
}

void Core::count() {
  switch (count_votes(memberships_.current(), ballots_, options_.self)) {
    case VoteResult::kPending:
      return;
    case VoteResult::kLost:
      // Stay without a leader until the timer runs out; the term stays as it is.
      role_ = Role::kFollower;
      output_.role_changed = true;
      return;
    case VoteResult::kWon:
      if (role_ == Role::kPreCandidate) return begin_election(false);
      return become_leader();
  }
}

void Core::become_follower(Term term, const MemberId& leader) {
  if (term > hard_.term) {
    hard_.term = term;
    hard_.voted_for.clear();
    save_hard_state();
    matched_ = commit_;
    recover_to_.reset();
    leader_.clear();
    output_.role_changed = true;
  }
  if (role_ != Role::kFollower || leader_ != leader) output_.role_changed = true;
  if (role_ == Role::kLeader) {
    // What was appended and not committed may be cut by the next leader; what is equal is not
    // known.
    progress_.clear();
    transfer_to_.clear();
    term_pending_ = false;
    matched_ = commit_;
  }
  role_ = Role::kFollower;
  leader_ = leader;
  if (!leader.empty()) heard_.clear();
  reset_election_timer();
}

void Core::become_leader() {
  role_ = Role::kLeader;
  leader_ = options_.self;
  heard_.clear();
  output_.role_changed = true;
  output_.start_term = true;
  term_pending_ = true;
  transfer_to_.clear();
  heartbeat_elapsed_ = quorum_elapsed_ = 0;
  flush_ticks_ = 0;
  progress_.clear();
  follow_membership();
  // Whoever leads has every byte that can be known to be committed.
  recover_to_ = end_;
  note_recovered();
}

void Core::on_vote_request(const Message& message, const VoteRequest& request) {
  const auto answer = [&](Term term, bool granted) {
    send_with_term(message.from, term,
                   VoteAnswer{request.pre, granted, hard_.recovering, log_end(), committed_end()});
  };
  note_heard(message.from, request.log, request.committed);
  if (message.term < hard_.term) return answer(hard_.term, false);
  if (!request.transfer && follows_live_leader()) return;  // silence: the leader is alive
  const bool up_to_date = request.log >= log_end();
  if (request.pre) {
    // A pre-vote promises nothing and changes nothing.
    const bool granted = message.term > hard_.term && up_to_date && !installing_;
    return answer(granted ? message.term : hard_.term, granted);
  }
  if (message.term > hard_.term) become_follower(message.term, {});
  const bool free = hard_.voted_for.empty() || hard_.voted_for == message.from;
  const bool granted = free && up_to_date && role_ == Role::kFollower && !installing_;
  if (granted && hard_.voted_for.empty()) {
    hard_.voted_for = message.from;
    save_hard_state();
  }
  if (granted) reset_election_timer();
  answer(hard_.term, granted);
}

void Core::on_vote_answer(const Message& message, const VoteAnswer& answer) {
  note_heard(message.from, answer.log, answer.committed);
  if (const auto it = heard_.find(message.from); it != heard_.end()) {
    it->second.recovering = answer.recovering;
  }
  if (!answer.granted && message.term > hard_.term) {
    return become_follower(message.term, {});
  }
  const bool pre = role_ == Role::kPreCandidate && answer.pre;
  const bool real = role_ == Role::kCandidate && !answer.pre;
  if (!pre && !real) return;
  if (answer.granted && message.term != (pre ? hard_.term + 1 : hard_.term)) return;
  if (!answer.granted && message.term < hard_.term) return;
  ballots_[message.from] = {answer.granted, answer.recovering};
  count();
}

void Core::on_timeout_now(const Message& message) {
  if (message.term == hard_.term && message.from == leader_ && may_campaign()) begin_election(true);
}

void Core::check_quorum() {
  std::size_t voters = 0;
  for (const Member& member : memberships_.current().members) {
    if (!member.voter) continue;
    if (member.id == options_.self) {
      ++voters;
      continue;
    }
    const auto it = progress_.find(member.id);
    if (it != progress_.end() && it->second.active) ++voters;
  }
  for (auto& [id, progress] : progress_) progress.active = false;
  if (voters < memberships_.current().quorum()) become_follower(hard_.term, {});
}

// Heard of lately: leadership that is offered to a dead member is lost time for everybody.
bool Core::reachable(const Progress& progress) const {
  return progress.silent_ticks <
         std::max(2 * options_.heartbeat_ticks, options_.election_ticks / 2);
}

MemberId Core::best_target() const {
  MemberId best;
  LogPosition reached(-1);
  for (const auto& [id, progress] : progress_) {
    if (!memberships_.current().is_voter(id) || progress.recovering || !reachable(progress)) {
      continue;
    }
    if (progress.written() > reached) {
      best = id;
      reached = progress.written();
    }
  }
  return best;
}

Result<void> Core::transfer(const MemberId& target) {
  if (role_ != Role::kLeader) {
    return make_error(ErrorCode::kUnavailable, "only the leader can hand over leadership");
  }
  const MemberId chosen = target.empty() ? best_target() : target;
  if (chosen == options_.self) return {};
  if (chosen.empty()) {
    return make_error(ErrorCode::kUnavailable, "no other voter could take over");
  }
  const auto it = progress_.find(chosen);
  if (it == progress_.end() || !memberships_.current().is_voter(chosen)) {
    return make_error(ErrorCode::kInvalidArgument, "member " + chosen + " is not a voter here");
  }
  if (it->second.recovering) {
    return make_error(ErrorCode::kConflict, "member " + chosen + " is still catching up");
  }
  if (!reachable(it->second)) {
    return make_error(ErrorCode::kUnavailable, "member " + chosen + " does not answer");
  }
  if (transfer_to_ == chosen) return {};
  transfer_to_ = chosen;
  transfer_elapsed_ = 0;
  transfer_sent_ = false;
  output_.role_changed = true;  // accepting() has changed
  drive_transfer();
  return {};
}

void Core::drive_transfer() {
  if (transfer_to_.empty() || transfer_sent_) return;
  const auto it = progress_.find(transfer_to_);
  if (it == progress_.end()) {
    transfer_to_.clear();
    output_.role_changed = true;
    return;
  }
  if (it->second.written() < end_) return send_appends(it->first, it->second);
  // Whoever waits for a commit gets it from this leader, unless its own disk is what hangs.
  if (commit_ < end_ && flush_ticks_ <= options_.election_ticks) return;
  transfer_sent_ = true;
  send(transfer_to_, TimeoutNow{});
}

}  // namespace gantry::raft
