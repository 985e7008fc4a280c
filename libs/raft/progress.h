// SPDX-License-Identifier: Apache-2.0
// What a leader knows about one other member, and how much it may send it.
//
//   probe:     it is not known where the logs part; one append at a time
//   replicate: appends are sent ahead of their answers, within the window; after a refusal it opens
//              again as answers come, from one append on
//   snapshot:  the log the member needs is gone; a state snapshot is on its way
#pragma once

#include <cstdint>
#include <deque>

#include "base/types.h"

namespace gantry::raft {

class Progress {
 public:
  enum class State : std::uint8_t { kProbe, kReplicate, kSnapshot };

  explicit Progress(LogPosition next) : next_(next) {}

  State state() const { return state_; }
  LogPosition next() const { return next_; }
  LogPosition matched() const { return matched_; }
  LogPosition written() const { return written_; }
  LogPosition durable() const { return durable_; }

  // An append may be sent now.
  bool may_send(std::size_t inflight_max, std::int64_t inflight_bytes_max) const;
  void sent(LogPosition to);
  // The answer's positions; they only grow. True when something changed.
  bool acknowledged(LogPosition matched, LogPosition written, LogPosition durable);
  void probe(LogPosition next);
  // As probe(), and the window closes: what was sent ahead was in vain. A whole window at once for
  // every refusal would keep a network that reorders busy with nothing else.
  void refused(LogPosition next);
  void snapshot() { state_ = State::kSnapshot; }
  // The member has answered how much of the snapshot it has.
  void snapshot_moves() { unanswered_ticks_ = 0; }
  // Nothing came back for a while: send again from what is known to match.
  void resend() { probe(matched_); }
  // Another start of the member: what it had in memory may be gone.
  void forget();
  // One append may be sent although the last one was not answered (a heartbeat went by).
  void release_probe() { probe_sent_ = false; }

  // A probe is on its way.
  bool probing() const { return state_ == State::kProbe && probe_sent_; }

  bool active = false;      // heard of since the last check of the quorum
  int silent_ticks = 0;     // since it was last heard of
  bool recovering = false;  // does not count for commits
  std::uint64_t start = 0;  // the newest start of the member that was heard of
  bool commit_told = true;  // an append with the current commit position is on its way

  // Call once a tick: nothing has moved for `ticks` although something is on its way.
  bool unanswered(int ticks);

 private:
  static constexpr std::size_t kWindowMax = 1 << 20;

  State state_ = State::kProbe;
  LogPosition next_, matched_, written_, durable_;
  std::deque<LogPosition> inflight_;  // ends of unanswered appends
  std::size_t window_ = kWindowMax;   // how many there may be
  bool probe_sent_ = false;
  int unanswered_ticks_ = 0;
};

}  // namespace gantry::raft
