// SPDX-License-Identifier: Apache-2.0
// Core: what a leader does. Sends its log, counts who has it, commits, changes the membership.
#include <algorithm>

#include "raft/core.h"

namespace gantry::raft {

void Core::tick_leader() {
  if (++quorum_elapsed_ >= options_.election_ticks) {
    quorum_elapsed_ = 0;
    check_quorum();
    if (role_ != Role::kLeader) return;
  }
  if (!transfer_to_.empty() && ++transfer_elapsed_ >= options_.election_ticks) {
    transfer_to_.clear();
    output_.role_changed = true;
  }
  // A leader whose disk hangs holds everybody up.
  if (flush_ticks_ > options_.election_ticks && transfer_to_.empty()) {
    const MemberId target = best_target();
    if (!target.empty()) ignore_result(transfer(target), "the next tick tries again");
  }
  const bool beat = ++heartbeat_elapsed_ >= options_.heartbeat_ticks;
  if (beat) heartbeat_elapsed_ = 0;
  for (auto& [id, progress] : progress_) {
    ++progress.silent_ticks;
    if (progress.unanswered(options_.resend_ticks)) progress.resend();
    if (beat) {
      heartbeat(id, progress);
      progress.release_probe();
    }
    send_appends(id, progress);
    if (!progress.commit_told) heartbeat(id, progress);
  }
}

void Core::follow_membership() {
  const Membership& membership = memberships_.current();
  std::erase_if(progress_, [&](const auto& p) { return membership.find(p.first) == nullptr; });
  for (const Member& member : membership.members) {
    if (member.id != options_.self) progress_.try_emplace(member.id, Progress(end_));
  }
}

void Core::on_term_started(LogPosition start, LogPosition end, CommitMode mode) {
  epochs_.add({hard_.term, start, false});
  term_start_ = start;
  term_pending_ = false;
  mode_ = mode;
  output_.role_changed = true;
  on_appended(end);
}

void Core::on_appended(LogPosition end) {
  end_ = std::max(end_, end);
  broadcast();
}

void Core::on_membership_appended(const MembershipLog::Entry& entry) {
  memberships_.add(entry);
  follow_membership();
  on_appended(entry.end);
}

void Core::retry() { broadcast(); }

void Core::broadcast() {
  if (role_ != Role::kLeader) return;
  for (auto& [id, progress] : progress_) send_appends(id, progress);
}

void Core::send_appends(const MemberId& to, Progress& progress) {
  while (progress.may_send(options_.inflight_max, options_.inflight_bytes_max)) {
    if (progress.next() < begin_) {
      progress.snapshot();
      return send(to, describe_install());
    }
    if (progress.next() >= end_) {
      if (progress.state() == Progress::State::kProbe) {
        send_append(to, progress, progress.next(), progress.next());
      }
      break;
    }
    const auto bound = bounds_.bound(progress.next(), options_.append_bytes_max);
    if (!bound) break;
    // The log may hold what this core has not been told of yet.
    send_append(to, progress, progress.next(), std::min(*bound, end_));
  }
}

void Core::send_append(const MemberId& to, Progress& progress, LogPosition from, LogPosition end) {
  Append append;
  append.from = from;
  append.to = end;
  append.term_before = epochs_.term_before(from);
  append.commit = commit_;
  append.leader_end = end_;
  append.epochs = epochs_.starting_in(from, end);
  append.memberships = memberships_.starting_in(from, end);
  // Older memberships than the newest committed one are not kept. Whoever is behind it counts by it
  // as well: by an older one it could win a vote without those that decide now.
  const MembershipLog::Entry& newest = memberships_.all().front();
  if (newest.start >= end && newest.end.v > 0) append.memberships.push_back(newest);
  progress.sent(end);
  progress.commit_told = true;
  send(to, std::move(append));
}

// An append without bytes at a place that is known to match, so that it is never refused.
void Core::heartbeat(const MemberId& to, Progress& progress) {
  Append beat;
  beat.from = beat.to = progress.matched();
  beat.term_before = epochs_.term_before(beat.from);
  beat.commit = commit_;
  beat.leader_end = end_;
  progress.commit_told = true;
  send(to, std::move(beat));
}

InstallSnapshot Core::describe_install() const {
  InstallSnapshot install;
  install.begin = begin_;
  install.position = commit_;
  install.leader_end = end_;
  for (const Epoch& epoch : epochs_.all()) {
    if (epoch.start < begin_) install.epochs.push_back(epoch);
  }
  // The newest membership that is committed: the others follow with the log.
  install.membership = memberships_.all().front();
  return install;
}

// Null: the message says nothing about the member as it is now.
Progress* Core::progress_of(const Message& message) {
  const auto it = progress_.find(message.from);
  if (it == progress_.end() || message.start < it->second.start) return nullptr;
  Progress& progress = it->second;
  if (message.start > progress.start) {
    if (progress.start != 0) progress.forget();
    progress.start = message.start;
  }
  progress.active = true;
  progress.silent_ticks = 0;
  return &progress;
}

void Core::on_append_answer(const Message& message, const AppendAnswer& answer) {
  Progress* progress = progress_of(message);
  if (progress == nullptr) return;
  if (std::max(answer.matched, answer.written) > end_) {
    return fault("member " + message.from + " claims to match beyond the end of this log");
  }
  const bool counts_now = progress->recovering && !answer.recovering;
  progress->recovering = answer.recovering;
  if (progress->acknowledged(answer.matched, answer.written, answer.durable) || counts_now) {
    advance_commit();
  }
  if (role_ != Role::kLeader) return;
  // The snapshot is in place, or was not needed; its answer was lost.
  if (progress->state() == Progress::State::kSnapshot && progress->matched() >= begin_) {
    progress->probe(progress->matched());
  }
  send_appends(message.from, *progress);
  if (message.from == transfer_to_) drive_transfer();
}

void Core::on_append_refusal(const Message& message, const AppendRefusal& refusal) {
  Progress* progress = progress_of(message);
  if (progress == nullptr) return;
  progress->recovering = refusal.recovering;
  // An answer to something that has been settled meanwhile.
  if (progress->state() == Progress::State::kSnapshot) return;
  if (progress->state() == Progress::State::kReplicate &&
      (refusal.from <= progress->matched() || refusal.end < progress->matched())) {
    return;
  }
  if (progress->probing() && refusal.from != progress->next()) return;
  const LogPosition common =
      common_end(epochs_.all(), end_, refusal.epochs, refusal.end, refusal.commit);
  progress->refused(std::max(progress->matched(), std::min({common, refusal.from, end_})));
  send_appends(message.from, *progress);
}

void Core::on_install_answer(const Message& message, const InstallAnswer& answer) {
  Progress* progress = progress_of(message);
  if (progress == nullptr || progress->state() != Progress::State::kSnapshot) return;
  progress->recovering = true;
  progress->probe(answer.begin);
  send_appends(message.from, *progress);
}

// Pieces of a snapshot are on their way and arrive.
void Core::on_snapshot_answer(const Message& message) {
  Progress* progress = progress_of(message);
  if (progress != nullptr && progress->state() == Progress::State::kSnapshot) {
    progress->snapshot_moves();
  }
}

// What a majority of the membership has reached, as the mode counts it.
LogPosition Core::quorum_reached(CommitMode mode, const Membership& membership) const {
  std::vector<LogPosition> positions;
  for (const Member& member : membership.members) {
    if (!member.voter) continue;
    if (member.id == options_.self) {
      positions.push_back(mode == CommitMode::kDurable ? std::min(written_, durable_) : written_);
      continue;
    }
    const auto it = progress_.find(member.id);
    if (it == progress_.end() || it->second.recovering) {
      positions.emplace_back(0);
    } else {
      positions.push_back(mode == CommitMode::kDurable ? it->second.durable()
                                                       : it->second.written());
    }
  }
  return quorum_position(std::move(positions), membership.quorum());
}

// With ASYNC_FLUSH a member may forget what it has written, a new membership as well; then it votes
// by the old one. So a membership is committed when it is durable at a majority of its voters, and
// until then what lies before it needs a majority of the voters before it.
LogPosition Core::committable() const {
  const Membership& newest = memberships_.current();
  if (mode_ == CommitMode::kDurable) return quorum_reached(mode_, newest);
  const LogPosition durable = quorum_reached(CommitMode::kDurable, newest);
  const auto& all = memberships_.all();
  // From the newest on: with a later one everything before it is committed.
  for (std::size_t i = all.size(); i-- > 0;) {
    const Membership& voters = all[i].membership;
    if (all[i].end > std::max(commit_, quorum_reached(CommitMode::kDurable, voters))) continue;
    const LogPosition written = quorum_reached(mode_, voters);
    return i + 1 == all.size() ? written : std::max(durable, std::min(written, all[i + 1].start));
  }
  return durable;
}

void Core::advance_commit() {
  if (role_ != Role::kLeader || term_pending_) return;
  const LogPosition position = committable();
  // Only bytes of the own term are committed by counting; earlier ones with them.
  if (position <= commit_ || position <= term_start_) return;
  const bool membership_pending = memberships_.pending(commit_);
  commit_ = position;
  memberships_.commit(commit_);
  output_.commit_advanced = true;
  for (auto& [id, progress] : progress_) progress.commit_told = false;
  broadcast();
  // Followers hear of it with the next append, or with the next tick: a message of its own for
  // every commit, and its answer, would cost as much as the append. Not while who decides changes.
  if (membership_pending || !transfer_to_.empty()) {
    for (auto& [id, progress] : progress_) {
      if (!progress.commit_told) heartbeat(id, progress);
    }
  }
  drive_transfer();
  // A leader that has been removed leaves when its removal is committed.
  if (!memberships_.pending(commit_) && !memberships_.current().is_voter(options_.self)) {
    const MemberId target = best_target();
    if (!target.empty()) send(target, TimeoutNow{});
    become_follower(hard_.term, {});
  }
}

Result<void> Core::may_change(const Membership& next) const {
  if (!accepting()) {
    return make_error(ErrorCode::kUnavailable, "only the leader changes the membership");
  }
  if (commit_ <= term_start_) {
    return make_error(ErrorCode::kUnavailable,
                      "nothing of this term is committed yet; try again in a moment");
  }
  if (memberships_.pending(commit_)) {
    return make_error(ErrorCode::kConflict,
                      "another change of the membership is not committed yet");
  }
  return check_change(memberships_.current(), next);
}

}  // namespace gantry::raft
