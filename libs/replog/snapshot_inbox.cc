// SPDX-License-Identifier: Apache-2.0
#include "replog/snapshot_inbox.h"

#include <utility>

#include "base/crc32.h"
#include "log/log.h"

namespace gantry::replog {
namespace {

log::Logger logger("raft");

}  // namespace

bool SnapshotInbox::is(const raft::Message& message, const raft::SnapshotId& snapshot) const {
  return sender_ == message.from && sender_start_ == message.start && snapshot_ == snapshot;
}

void SnapshotInbox::begin(const raft::Message& message, const raft::SnapshotId& snapshot) {
  clear();
  sender_ = message.from;
  sender_start_ = message.start;
  snapshot_ = snapshot;
  // Memory that is not written to yet is not there yet.
  bytes_.reserve(static_cast<std::size_t>(snapshot.size));
  logger.info("receiving a snapshot of the leader {} position={} bytes={}", message.from,
              snapshot.position.v, snapshot.size);
}

raft::SnapshotAnswer SnapshotInbox::on_offer(const raft::Message& message,
                                             const raft::SnapshotId& snapshot) {
  if (!is(message, snapshot)) begin(message, snapshot);
  idle_ticks_ = 0;
  return {snapshot, static_cast<std::int64_t>(bytes_.size()), true};
}

raft::SnapshotAnswer SnapshotInbox::on_piece(const raft::Message& message,
                                             const raft::SnapshotPiece& piece,
                                             std::string_view bytes) {
  // A late piece of a snapshot that is not wanted any more; what is wanted was offered.
  if (!is(message, piece.snapshot)) return {piece.snapshot, 0, false};
  idle_ticks_ = 0;
  const auto received = static_cast<std::int64_t>(bytes_.size());
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (piece.offset != received || size > snapshot_.size - received) {
    return {snapshot_, received, false};
  }
  bytes_.append(bytes);
  checksum_ = crc32(bytes, checksum_);
  if (received + size == snapshot_.size && checksum_ != snapshot_.checksum) {
    logger.warn(
        "a snapshot of the leader {} is not what it should be and is received again "
        "position={} bytes={} checksum={:08x} expected={:08x}",
        message.from, snapshot_.position.v, snapshot_.size, checksum_, snapshot_.checksum);
    bytes_.clear();
    checksum_ = 0;
  }
  return {snapshot_, static_cast<std::int64_t>(bytes_.size()), false};
}

bool SnapshotInbox::complete(const raft::Message& message, const raft::SnapshotId& snapshot) const {
  return is(message, snapshot) && static_cast<std::int64_t>(bytes_.size()) == snapshot.size &&
         checksum_ == snapshot.checksum;
}

std::string SnapshotInbox::take() {
  std::string bytes = std::move(bytes_);
  clear();
  return bytes;
}

void SnapshotInbox::clear() {
  sender_.clear();
  sender_start_ = 0;
  snapshot_ = {};
  bytes_ = std::string();
  checksum_ = 0;
  idle_ticks_ = 0;
}

void SnapshotInbox::tick() {
  if (sender_.empty() || ++idle_ticks_ <= idle_ticks_max_) return;
  logger.info("a snapshot of the leader {} has stopped coming and is forgotten bytes={}/{}",
              sender_, bytes_.size(), snapshot_.size);
  clear();
}

}  // namespace gantry::replog
