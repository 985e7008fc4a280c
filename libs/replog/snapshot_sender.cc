// SPDX-License-Identifier: Apache-2.0
#include "replog/snapshot_sender.h"

#include <algorithm>
#include <utility>

#include "log/log.h"

namespace gantry::replog {
namespace {

log::Logger logger("raft");

// Above this, a member that takes no pieces may not get it at all: a frame has its limit.
constexpr std::int64_t kWholeBytesMax = 64 << 20;

}  // namespace

SnapshotSender::SnapshotSender(const raft::Core& core, PeerTransport& transport,
                               ReplicaListener& listener, SnapshotOptions options, int quiet_ticks)
    : core_(core),
      transport_(transport),
      listener_(listener),
      options_(options),
      quiet_ticks_(quiet_ticks) {}

SnapshotSender::~SnapshotSender() { *alive_ = false; }

bool SnapshotSender::wanted(const raft::MemberId& to) const {
  const auto it = core_.progress().find(to);
  return core_.leading() && it != core_.progress().end() &&
         it->second.state() == raft::Progress::State::kSnapshot;
}

// The log below its begin is gone: a member could not go on from an earlier state.
bool SnapshotSender::usable() const {
  return image_ != nullptr && image_->id.position >= core_.begin();
}

void SnapshotSender::begin(const raft::MemberId& to) {
  if (!wanted(to)) return;
  transfers_[to] = {};
  if (!usable()) return load();
  start(to, transfers_[to]);
}

void SnapshotSender::start(const raft::MemberId& to, Transfer& transfer) {
  logger.info("sending a snapshot of the state to member {} position={} bytes={}", to,
              image_->id.position.v, image_->id.size);
  transfer = {};
  offer(to, transfer);
}

void SnapshotSender::settle() {
  std::erase_if(transfers_, [this](const auto& entry) { return !wanted(entry.first); });
  if (!transfers_.empty()) return;
  image_.reset();
  loading_ = false;
}

void SnapshotSender::load() {
  if (std::exchange(loading_, true)) return;
  image_.reset();
  const LogPosition asked = core_.begin();
  listener_.provide_snapshot(
      asked, [this, asked, alive = alive_, load = ++loads_](Result<SnapshotImagePtr> image) {
        if (*alive && loading_ && load == loads_) loaded(asked, std::move(image));
      });
}

void SnapshotSender::loaded(LogPosition asked, Result<SnapshotImagePtr> image) {
  loading_ = false;
  settle();
  if (transfers_.empty()) return;
  if (image && (*image)->id.position > core_.committed()) {
    image = make_error(ErrorCode::kUnavailable, "it is ahead of what is known to be committed");
  } else if (image && (*image)->id.position < asked) {
    image = make_error(ErrorCode::kUnavailable, "it is older than the begin of the log");
  }
  if (!image) {
    // The core asks again.
    return logger.error("members cannot be sent a snapshot of the state: {}",
                        image.error().message);
  }
  image_ = std::move(*image);
  if (!usable()) return load();  // files were deleted meanwhile
  for (auto& [to, transfer] : transfers_) {
    start(to, transfer);
  }
}

void SnapshotSender::offer(const raft::MemberId& to, Transfer& transfer) {
  transfer.quiet = 0;
  const std::optional<bool> takes_pieces = transport_.takes_pieces(to);
  if (!takes_pieces) return;  // not there
  raft::InstallSnapshot install = core_.describe_install();
  install.position = image_->id.position;
  if (image_->id.size <= options_.piece_bytes || !*takes_pieces) {
    if (image_->id.size > kWholeBytesMax) {
      static log::RateLimit limit(60000);
      if (limit.admit()) {
        logger.warn(
            "member {} runs a release that takes a snapshot in one message only, and this one of "
            "{} bytes may be too large for that: upgrade the member",
            to, image_->id.size);
      }
    }
    transfer.whole = image_->id.size > options_.piece_bytes;
    return send(to, core_.compose(to, std::move(install)), image_->bytes);
  }
  transfer.offered = true;
  install.pieces = image_->id;
  send(to, core_.compose(to, std::move(install)), {});
}

void SnapshotSender::on_answer(const raft::Message& message, const raft::SnapshotAnswer& answer) {
  const auto it = transfers_.find(message.from);
  if (it == transfers_.end() || !wanted(message.from) || message.term != core_.term()) return;
  if (!usable() || answer.snapshot != image_->id) return;
  // An earlier start of the member has forgotten what it had.
  if (message.start != core_.progress().at(message.from).start) return;
  Transfer& transfer = it->second;
  if (answer.to_offer) {
    // What was sent before has arrived or never will.
    if (!transfer.offered) return;
    transfer.offered = false;
    transfer.received = transfer.sent = answer.received;
  } else if (answer.received > transfer.received) {
    transfer.received = answer.received;
    transfer.sent = std::max(transfer.sent, answer.received);
  } else {
    return;
  }
  transfer.quiet = 0;
  if (transfer.received == image_->id.size) {
    if (!transfer.offered && !answer.to_offer) offer(message.from, transfer);
    return;
  }
  if (!transfer.offered) send_pieces(message.from, transfer);
}

void SnapshotSender::send_pieces(const raft::MemberId& to, Transfer& transfer) {
  const std::string_view all = image_->bytes;
  while (transfer.sent < image_->id.size &&
         transfer.sent - transfer.received < options_.window_bytes) {
    const std::string_view piece = all.substr(static_cast<std::size_t>(transfer.sent),
                                              static_cast<std::size_t>(options_.piece_bytes));
    send(to, core_.compose(to, raft::SnapshotPiece{image_->id, transfer.sent}), piece);
    transfer.sent += static_cast<std::int64_t>(piece.size());
  }
}

void SnapshotSender::tick() {
  settle();
  if (transfers_.empty() || loading_ || image_ == nullptr) return;
  if (!usable()) return load();
  for (auto& [to, transfer] : transfers_) {
    if (!transfer.whole && ++transfer.quiet >= quiet_ticks_) offer(to, transfer);
  }
}

std::optional<SnapshotSender::Progress> SnapshotSender::progress(const raft::MemberId& to) const {
  const auto it = transfers_.find(to);
  if (it == transfers_.end()) return std::nullopt;
  if (image_ == nullptr) return Progress{};
  return Progress{image_->id.size, it->second.received};
}

void SnapshotSender::send(const raft::MemberId& to, raft::Message message, std::string_view bytes) {
  const raft::Member* member = core_.membership().find(to);
  if (member == nullptr) return;
  const io::Slice slice{bytes.data(), bytes.size()};
  transport_.send(*member, message, {&slice, bytes.empty() ? std::size_t{0} : std::size_t{1}});
}

}  // namespace gantry::replog
