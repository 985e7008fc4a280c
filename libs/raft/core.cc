// SPDX-License-Identifier: Apache-2.0
#include "raft/core.h"

#include <algorithm>
#include <utility>

namespace gantry::raft {

const char* to_string(Role role) {
  switch (role) {
    case Role::kFollower:
      return "follower";
    case Role::kPreCandidate:
      return "pre-candidate";
    case Role::kCandidate:
      return "candidate";
    case Role::kLeader:
      return "leader";
  }
  return "?";
}

Core::Core(Options options, InitialLog log, RecordBounds& bounds)
    : options_(std::move(options)),
      bounds_(bounds),
      hard_(std::move(log.hard)),
      begin_(log.begin),
      end_(log.end),
      written_(log.end),
      durable_(std::min(log.durable, log.end)),
      commit_(std::clamp(log.committed, log.begin, log.end)),
      epochs_(std::move(log.epochs)),
      memberships_(std::move(log.memberships)),
      matched_(commit_),
      random_(options_.seed * 0x9E3779B97F4A7C15ULL + 1) {
  if (!hard_.recovered.members.empty()) {
    memberships_.begin_again(hard_.recovered);
    memberships_.commit(commit_);
  }
  reset_election_timer();
}

// xorshift64*: enough to spread election timeouts.
int Core::random_timeout() {
  random_ ^= random_ >> 12;
  random_ ^= random_ << 25;
  random_ ^= random_ >> 27;
  const std::uint64_t value = random_ * 0x2545F4914F6CDD1DULL;
  const auto span = static_cast<std::uint64_t>(std::max(options_.election_ticks, 1));
  return options_.election_ticks + static_cast<int>((value >> 33) % span);
}

void Core::tick() {
  if (role_ == Role::kLeader) return tick_leader();
  tick_heard();
  ++election_elapsed_;
  if (election_elapsed_ >= election_timeout_ && may_campaign()) begin_pre_vote();
}

void Core::step(const Message& message) {
  if (output_.fault || hard_.given_up) return;
  if (const auto* vote = std::get_if<VoteRequest>(&message.body)) {
    return on_vote_request(message, *vote);
  }
  if (const auto* vote = std::get_if<VoteAnswer>(&message.body)) {
    return on_vote_answer(message, *vote);
  }
  if (message.term < hard_.term) {
    // A leader of an earlier term has to learn that it is none any more.
    if (std::holds_alternative<Append>(message.body) ||
        std::holds_alternative<InstallSnapshot>(message.body) ||
        std::holds_alternative<SnapshotPiece>(message.body)) {
      send(message.from, StaleTerm{});
    }
    return;
  }
  if (const auto* append = std::get_if<Append>(&message.body)) return on_append(message, *append);
  if (const auto* install = std::get_if<InstallSnapshot>(&message.body)) {
    return on_install(message, *install);
  }
  if (std::holds_alternative<SnapshotPiece>(message.body)) {
    follow(message);
    return;
  }
  if (message.term > hard_.term) become_follower(message.term, {});
  if (std::holds_alternative<TimeoutNow>(message.body)) return on_timeout_now(message);
  if (role_ != Role::kLeader) return;
  if (const auto* answer = std::get_if<AppendAnswer>(&message.body)) {
    on_append_answer(message, *answer);
  } else if (const auto* refusal = std::get_if<AppendRefusal>(&message.body)) {
    on_append_refusal(message, *refusal);
  } else if (const auto* installed = std::get_if<InstallAnswer>(&message.body)) {
    on_install_answer(message, *installed);
  } else if (std::holds_alternative<SnapshotAnswer>(message.body)) {
    on_snapshot_answer(message);
  }
}

void Core::on_written(LogPosition position, bool answer) {
  written_ = std::max(written_, std::min(position, end_));
  note_recovered();
  if (role_ == Role::kLeader) return advance_commit();
  if (answer) answer_due_ = true;
}

void Core::on_durable(LogPosition position) {
  const LogPosition before = durable_;
  durable_ = std::max(durable_, std::min(position, end_));
  if (durable_ == before) return;
  note_recovered();
  if (role_ == Role::kLeader) return advance_commit();
  answer_due_ = true;
}

void Core::on_trimmed(LogPosition begin) {
  begin_ = std::max(begin_, begin);
  epochs_.trim(begin_);
}

Output Core::take_output() {
  if (answer_due_) {
    answer_due_ = false;
    answer_append();
  }
  return std::exchange(output_, {});
}

void Core::send(const MemberId& to, decltype(Message::body) body) {
  send_with_term(to, hard_.term, std::move(body));
}

void Core::send_with_term(const MemberId& to, Term term, decltype(Message::body) body) {
  output_.messages.push_back(compose_with_term(to, term, std::move(body)));
}

Message Core::compose(const MemberId& to, decltype(Message::body) body) const {
  return compose_with_term(to, hard_.term, std::move(body));
}

Message Core::compose_with_term(const MemberId& to, Term term, decltype(Message::body) body) const {
  const auto it = progress_.find(to);
  const std::uint64_t receiver_start = it == progress_.end() ? 0 : it->second.start;
  return {options_.self, to, term, options_.start, receiver_start, std::move(body)};
}

void Core::save_hard_state() { output_.save = hard_; }

void Core::fault(std::string what) {
  if (!output_.fault) output_.fault = std::move(what);
}

}  // namespace gantry::raft
