// SPDX-License-Identifier: Apache-2.0
#include "raft/progress.h"

#include <algorithm>

namespace gantry::raft {

bool Progress::may_send(std::size_t inflight_max, std::int64_t inflight_bytes_max) const {
  switch (state_) {
    case State::kProbe:
      return !probe_sent_;
    case State::kReplicate:
      return inflight_.size() < std::min(inflight_max, window_) &&
             next_ - written_ < inflight_bytes_max;
    case State::kSnapshot:
      return false;
  }
  return false;
}

void Progress::sent(LogPosition to) {
  if (state_ == State::kProbe) {
    probe_sent_ = true;
    return;
  }
  if (to <= next_) return;
  next_ = to;
  inflight_.push_back(to);
}

bool Progress::acknowledged(LogPosition matched, LogPosition written, LogPosition durable) {
  const bool news = matched > matched_ || written > written_ || durable > durable_;
  matched_ = std::max(matched_, matched);
  written_ = std::max(written_, written);
  durable_ = std::max(durable_, durable);
  if (news) unanswered_ticks_ = 0;
  while (!inflight_.empty() && inflight_.front() <= written_) {
    inflight_.pop_front();
    window_ = std::min(window_ + 1, kWindowMax);
  }
  if (state_ == State::kProbe && matched_ >= next_) {
    state_ = State::kReplicate;
    probe_sent_ = false;
    next_ = matched_;
    inflight_.clear();
  }
  next_ = std::max(next_, matched_);
  return news;
}

void Progress::probe(LogPosition next) {
  state_ = State::kProbe;
  next_ = next;
  probe_sent_ = false;
  inflight_.clear();
  unanswered_ticks_ = 0;
}

void Progress::refused(LogPosition next) {
  probe(next);
  window_ = 1;
}

bool Progress::unanswered(int ticks) {
  if (inflight_.empty() && !probe_sent_ && state_ != State::kSnapshot) return false;
  // A snapshot takes its time.
  return ++unanswered_ticks_ >= (state_ == State::kSnapshot ? 10 * ticks : ticks);
}

void Progress::forget() {
  matched_ = written_ = durable_ = LogPosition(0);
  probe(next_);
}

}  // namespace gantry::raft
