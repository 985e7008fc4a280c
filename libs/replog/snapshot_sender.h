// SPDX-License-Identifier: Apache-2.0
// A leader's side of snapshots: brings the state to members whose log cannot be filled otherwise.
// What fits into one piece goes beside one message, as to members of a release that knows no
// pieces. Anything larger is offered; the member answers how much it has, and the pieces follow, a
// window ahead of the answers. When all is there it is offered again, and installed. When nothing
// comes back for a while an offer finds out where to go on.
//
// There is one image for all members, loaded while somebody needs one. Whether a member needs one
// is decided by raft::Core.
//
// Owned by the replica, log shard only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "raft/core.h"
#include "replog/peer_transport.h"
#include "replog/replica_listener.h"
#include "replog/snapshot_image.h"

namespace gantry::replog {

struct SnapshotOptions {
  std::int64_t piece_bytes = 256 << 10;
  std::int64_t window_bytes = 1 << 20;  // sent to a member and not answered
};

class SnapshotSender {
 public:
  struct Progress {
    std::int64_t bytes = 0;     // 0: the snapshot is being loaded
    std::int64_t received = 0;  // as far as the member has answered
  };

  // `quiet_ticks`: without an answer for so long, what was sent counts as lost.
  SnapshotSender(const raft::Core& core, PeerTransport& transport, ReplicaListener& listener,
                 SnapshotOptions options, int quiet_ticks);
  ~SnapshotSender();
  SnapshotSender(const SnapshotSender&) = delete;
  SnapshotSender& operator=(const SnapshotSender&) = delete;

  // The core wants `to` to get a snapshot.
  void begin(const raft::MemberId& to);
  // After the core has seen the message.
  void on_answer(const raft::Message& message, const raft::SnapshotAnswer& answer);
  void tick();
  // Forgets members that need none any more, and the image with the last one. Call after the core
  // has changed.
  void settle();

  // nullopt: the member is being sent none.
  std::optional<Progress> progress(const raft::MemberId& to) const;
  bool holds_image() const { return image_ != nullptr; }

 private:
  struct Transfer {
    std::int64_t received = 0, sent = 0;
    bool offered = false;  // nothing is sent until that is answered
    bool whole = false;    // a large one went as one message: the core's patience decides
    int quiet = 0;         // ticks
  };

  bool wanted(const raft::MemberId& to) const;
  bool usable() const;
  void load();
  void loaded(LogPosition asked, Result<SnapshotImagePtr> image);
  void start(const raft::MemberId& to, Transfer& transfer);
  void offer(const raft::MemberId& to, Transfer& transfer);
  void send_pieces(const raft::MemberId& to, Transfer& transfer);
  void send(const raft::MemberId& to, raft::Message message, std::string_view bytes);

  const raft::Core& core_;
  PeerTransport& transport_;
  ReplicaListener& listener_;
  const SnapshotOptions options_;
  const int quiet_ticks_;
  std::map<raft::MemberId, Transfer> transfers_;
  SnapshotImagePtr image_;
  std::uint64_t loads_ = 0;  // an answer to an earlier one is not waited for any more
  bool loading_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::replog
