// SPDX-License-Identifier: Apache-2.0
// A member's side of a snapshot that comes in pieces: puts them together in order, whole and of one
// snapshot only, whatever is lost, doubled or late. What it holds goes when it is taken, when
// another snapshot begins, or when nothing has come for a while.
//
// Owned by the replica, log shard only. Whether the sender leads is the caller's business.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "raft/message.h"

namespace gantry::replog {

class SnapshotInbox {
 public:
  // `idle_ticks_max`: without a piece or an offer for longer, what came is forgotten.
  explicit SnapshotInbox(int idle_ticks_max) : idle_ticks_max_(idle_ticks_max) {}

  // Both return the answer. An offer of a snapshot that has not come whole begins it, if it is
  // another one than before.
  raft::SnapshotAnswer on_offer(const raft::Message& message, const raft::SnapshotId& snapshot);
  raft::SnapshotAnswer on_piece(const raft::Message& message, const raft::SnapshotPiece& piece,
                                std::string_view bytes);
  // All of `snapshot` of this sender is here, and its checksum is right.
  bool complete(const raft::Message& message, const raft::SnapshotId& snapshot) const;
  // What is here; the inbox is empty then.
  std::string take();
  void clear();
  void tick();

  std::size_t held_bytes() const { return bytes_.size(); }

 private:
  bool is(const raft::Message& message, const raft::SnapshotId& snapshot) const;
  void begin(const raft::Message& message, const raft::SnapshotId& snapshot);

  const int idle_ticks_max_;
  int idle_ticks_ = 0;
  // Whose snapshot it is: the state of a leader may differ from what it was before a restart.
  raft::MemberId sender_;
  std::uint64_t sender_start_ = 0;
  raft::SnapshotId snapshot_;
  std::string bytes_;
  std::uint32_t checksum_ = 0;  // of bytes_
};

}  // namespace gantry::replog
