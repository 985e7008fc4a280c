// SPDX-License-Identifier: Apache-2.0
// Core: what a follower does. Checks where the leader's bytes fit, cuts what contradicts them, says
// how far it has come.
#include <algorithm>

#include "raft/core.h"

namespace gantry::raft {
namespace {

constexpr std::size_t kRefusalEpochsMax = 64;

}  // namespace

// Whoever speaks as the leader of a term that is not over is followed. False: that cannot be.
bool Core::follow(const Message& message) {
  if (role_ == Role::kLeader && message.term == hard_.term) {
    fault("member " + message.from + " leads term " + std::to_string(hard_.term.v) + " too");
    return false;
  }
  become_follower(message.term, message.from);
  return true;
}

void Core::on_append(const Message& message, const Append& append) {
  if (!follow(message) || installing_) return;
  leader_end_ = append.leader_end;
  note_leader_end(message, append.leader_end);
  if (append.from > append.to) return;

  LogPosition from = append.from;
  if (from <= commit_) {
    // Whoever leads holds everything that is committed: the logs are equal up to there.
    from = std::min(commit_, append.to);
  } else if (from > end_ || epochs_.term_before(from) != append.term_before) {
    return refuse(message, append);
  }
  if (const auto at = first_difference(append, from)) {
    if (!cut_conflict(*at, from)) return;
  }
  if (append.to > end_) {
    output_.accept = Output::Accept{end_, append.to};
    for (const Epoch& epoch : append.epochs) {
      if (epoch.start >= end_) epochs_.add(epoch);
    }
    for (const MembershipLog::Entry& entry : append.memberships) {
      if (entry.start < append.to && entry.start >= end_) memberships_.add(entry);
    }
    end_ = append.to;
  } else {
    answer_due_ = true;
  }
  for (const MembershipLog::Entry& entry : append.memberships) {
    if (entry.start >= append.to) memberships_.adopt(entry);
  }
  matched_ = std::max(matched_, append.to);
  advance_commit_to(std::min(append.commit, matched_));
  note_recovered();
}

void Core::advance_commit_to(LogPosition commit) {
  if (commit <= commit_) return;
  commit_ = commit;
  memberships_.commit(commit_);
  output_.commit_advanced = true;
}

// Where the terms of [from, min(to, end)) differ between the append and the own log.
std::optional<LogPosition> Core::first_difference(const Append& append, LogPosition from) const {
  const LogPosition to = std::min(append.to, end_);
  const auto term_there = [&](LogPosition position) {
    Term term = append.term_before;
    for (const Epoch& epoch : append.epochs) {
      if (epoch.start <= position) term = epoch.term;
    }
    return term;
  };
  const auto differs = [&](LogPosition position) {
    const Epoch* own = epochs_.find(position);
    return (own == nullptr ? Term(0) : own->term) != term_there(position);
  };
  if (from >= to) return std::nullopt;
  std::vector<LogPosition> places{from};
  for (const Epoch& epoch : append.epochs) places.push_back(epoch.start);
  for (const Epoch& epoch : epochs_.starting_in(from, to)) places.push_back(epoch.start);
  std::ranges::sort(places);
  for (const LogPosition place : places) {
    if (place >= from && place < to && differs(place)) return place;
  }
  return std::nullopt;
}

bool Core::cut_conflict(LogPosition at, LogPosition from) {
  if (at < commit_ || at < matched_) {
    fault("the leader's log differs at " + std::to_string(at.v) + ", but everything below " +
          std::to_string(std::max(commit_, matched_).v) +
          " is committed or known to be equal (from " + std::to_string(from.v) + ")");
    return false;
  }
  output_.cut = at;
  end_ = at;
  written_ = std::min(written_, at);
  durable_ = std::min(durable_, at);
  epochs_.cut(at);
  memberships_.cut(at);
  return true;
}

void Core::refuse(const Message& message, const Append& append) {
  AppendRefusal refusal;
  refusal.from = append.from;
  refusal.end = end_;
  refusal.commit = commit_;
  refusal.recovering = hard_.recovering;
  const auto all = epochs_.all();
  const std::size_t skip = all.size() > kRefusalEpochsMax ? all.size() - kRefusalEpochsMax : 0;
  refusal.epochs.assign(all.begin() + static_cast<std::ptrdiff_t>(skip), all.end());
  send(message.from, std::move(refusal));
}

void Core::answer_append() {
  if (role_ != Role::kFollower || leader_.empty() || leader_ == options_.self || installing_)
    return;
  AppendAnswer answer;
  answer.matched = std::min(matched_, end_);
  answer.written = std::min(matched_, written_);
  answer.durable = std::min(matched_, std::min(written_, durable_));
  answer.recovering = hard_.recovering;
  send(leader_, answer);
}

// How far a recovering member has to come: the leader's end at a time when it knew of this start,
// and so behind everything that an earlier start has acknowledged.
void Core::note_leader_end(const Message& message, LogPosition leader_end) {
  if (!hard_.recovering || recover_to_ || message.receiver_start != options_.start) return;
  recover_to_ = leader_end;
}

// On the disk, since the mark that says otherwise is taken from the disk.
void Core::note_recovered() {
  if (!hard_.recovering || !recover_to_ || installing_) return;
  LogPosition reached = std::min(written_, durable_);
  if (role_ != Role::kLeader) reached = std::min(reached, matched_);
  if (reached < *recover_to_) return;
  hard_.recovering = false;
  recover_to_.reset();
  save_hard_state();
  output_.recovered = true;
  if (role_ != Role::kLeader) answer_due_ = true;
}

bool Core::needs(const InstallSnapshot& install) const {
  if (install.begin <= commit_) return false;
  const Term before = EpochTable(install.epochs).term_before(install.begin);
  return install.begin > end_ || before.v == 0 || before != epochs_.term_before(install.begin);
}

void Core::on_install(const Message& message, const InstallSnapshot& install) {
  if (!follow(message) || installing_) return;
  if (install.begin <= commit_) {
    // A late copy: the log has grown into what the leader holds.
    send(message.from, InstallAnswer{commit_});
    return;
  }
  if (!needs(install)) {
    // The log reaches the leader's and is equal to it up to there.
    note_leader_end(message, std::max(install.leader_end, install.position));
    matched_ = std::max(matched_, install.begin);
    advance_commit_to(install.begin);
    send(message.from, InstallAnswer{install.begin});
    return;
  }
  installing_ = true;
  hard_.recovering = true;
  recover_to_.reset();
  note_leader_end(message, std::max(install.leader_end, install.position));
  save_hard_state();
  begin_ = end_ = written_ = durable_ = commit_ = matched_ = install.begin;
  epochs_ = EpochTable(install.epochs);
  memberships_.reset(install.membership);
  output_.install = install;
}

void Core::on_installed() {
  if (!installing_) return;
  installing_ = false;
  if (!leader_.empty()) send(leader_, InstallAnswer{begin_});
}

}  // namespace gantry::raft
