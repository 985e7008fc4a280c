// SPDX-License-Identifier: Apache-2.0
#include "net/tcp_frame_channel.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cstring>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "log/log.h"

namespace gantry::net {
namespace {

constexpr Logger kLog("net");

constexpr std::size_t kLengthsBytes = 8;
// Bytes one channel may read before others have their turn.
constexpr std::size_t kReadBytesPerTurn = 4U << 20;
constexpr std::size_t kLargeFrameStep = 256U << 10;
constexpr std::size_t kChunkBytes = 256U << 10;
constexpr std::size_t kChunksPerWrite = 64;

bool would_block(const SystemError& error) {
  return error == boost::asio::error::would_block || error == boost::asio::error::interrupted;
}

}  // namespace

TcpFrameChannel::TcpFrameChannel(FrameSet& set, std::uint64_t id, TcpSocket socket, HostPort peer,
                                 std::string dialled, FrameSet::Gone gone)
    : set_(&set),
      id_(id),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      dialled_(std::move(dialled)),
      gone_(std::move(gone)),
      input_(kLargeFrameStep) {}

void TcpFrameChannel::start() {
  kLog.debug("channel open peer={} id={} dialled=\"{}\"", peer_.text(), id_, dialled_);
  set_->handler().on_open(*this);
  arm_read();
}

// ---- closing

void TcpFrameChannel::fail(std::string_view reason, bool protocol_error) {
  if (!open_) return;
  open_ = false;
  if (protocol_error) {
    ++set_->stats().protocol_errors;
    kLog.warn(set_->warn_rate(), "channel closed peer={} id={} dialled=\"{}\" reason=\"{}\"",
              peer_.text(), id_, dialled_, reason);
  } else {
    kLog.debug("channel closed peer={} id={} dialled=\"{}\" reason=\"{}\"", peer_.text(), id_,
               dialled_, reason);
  }
  touch();
}

void TcpFrameChannel::finish_close() {
  if (set_ == nullptr) return;
  const auto keep = shared_from_this();
  if (!write_failed_ && pending_ > 0) offer_output();
  FrameSet* const set = std::exchange(set_, nullptr);
  SystemError ignored;
  socket_.shutdown(TcpSocket::shutdown_both, ignored);
  socket_.close(ignored);
  chunks_.clear();
  pending_ = sent_ = 0;
  input_.reset();
  set->remove(id_);
  set->handler().on_close(*this);
  if (const auto gone = std::exchange(gone_, nullptr)) gone(peer_accepted_);
}

// ---- reading

void TcpFrameChannel::arm_read() {
  if (!open_ || read_armed_) return;
  read_armed_ = true;
  socket_.async_wait(TcpSocket::wait_read, [self = shared_from_this()](const SystemError& error) {
    self->read_armed_ = false;
    if (!self->open_) return;
    if (error) return self->fail(error.message(), false);
    self->on_readable();
  });
}

void TcpFrameChannel::on_readable() {
  input_.read(*this, set_->read_buffer(), kReadBytesPerTurn);
  arm_read();  // after a full read the socket is still readable: that only ends this turn's share
}

// Bytes received; 0 when there are none now or the channel has failed.
std::size_t TcpFrameChannel::receive(std::span<char> room) {
  SystemError error;
  const std::size_t got =
      socket_.read_some(boost::asio::mutable_buffer(room.data(), room.size()), error);
  if (error) {
    if (error == boost::asio::error::eof) {
      fail("closed by the peer", false);
    } else if (!would_block(error)) {
      fail(error.message(), false);
    }
    return 0;
  }
  set_->stats().bytes_in += got;
  return got;
}

// Handles all complete frames; returns how many bytes they had.
std::size_t TcpFrameChannel::consume(std::span<char> bytes) {
  std::size_t used = 0;
  while (open_ && bytes.size() - used >= kFrameLengthBytes) {
    const std::span<const char> rest = bytes.subspan(used);
    if (!valid_start(rest)) break;
    const std::size_t size = frame_bytes(rest.data());
    if (rest.size() < size) break;
    used += size;
    ++set_->stats().frames_in;
    const std::size_t header = load_be<std::uint32_t>(rest.data() + kFrameLengthBytes);
    const std::string_view frame(rest.data() + kLengthsBytes, size - kLengthsBytes);
    set_->handler().on_frame(*this, frame.substr(0, header), frame.substr(header));
  }
  return used;
}

// Checks the two lengths as soon as they are there. At least the first one is.
bool TcpFrameChannel::valid_start(std::span<const char> bytes) {
  const std::size_t size = frame_bytes(bytes.data());
  if (size > set_->options().frame_bytes_max) {
    reject(fmt::format("frame of {} bytes, at most {} are allowed", size,
                       set_->options().frame_bytes_max));
    return false;
  }
  if (size < kLengthsBytes) {
    reject(fmt::format("frame of {} bytes has no header length", size));
    return false;
  }
  if (bytes.size() < kLengthsBytes) return true;
  const std::size_t header = load_be<std::uint32_t>(bytes.data() + kFrameLengthBytes);
  const std::size_t most = std::min(set_->options().header_bytes_max, size - kLengthsBytes);
  if (header <= most) return true;
  reject(fmt::format("header of {} bytes in a frame of {} bytes, at most {} are allowed", header,
                     size, most));
  return false;
}

// ---- writing

bool TcpFrameChannel::send(std::string_view header, std::span<const std::string_view> body) {
  if (!open_) return false;
  std::size_t size = kLengthsBytes + header.size();
  for (const std::string_view piece : body) size += piece.size();
  const FrameOptions& options = set_->options();
  const bool too_large = header.size() > options.header_bytes_max || size > options.frame_bytes_max;
  if (too_large || (pending_ > 0 && pending_ + size > options.output_bytes_max)) {
    ++set_->stats().dropped;
    if (too_large) {
      kLog.error(set_->warn_rate(),
                 "a frame over the limits is not sent peer={} header_bytes={} frame_bytes={}",
                 peer_.text(), header.size(), size);
    }
    return false;
  }
  std::array<char, kLengthsBytes> lengths{};
  store_be(lengths.data(), static_cast<std::uint32_t>(size - kFrameLengthBytes));
  store_be(lengths.data() + kFrameLengthBytes, static_cast<std::uint32_t>(header.size()));
  append({lengths.data(), lengths.size()});
  append(header);
  for (const std::string_view piece : body) append(piece);
  ++set_->stats().frames_out;
  touch();
  return true;
}

void TcpFrameChannel::append(std::string_view bytes) {
  pending_ += bytes.size();
  while (!bytes.empty()) {
    if (chunks_.empty() || chunks_.back().size() >= kChunkBytes) {
      chunks_.emplace_back();
      if (bytes.size() >= kChunkBytes / 4) chunks_.back().reserve(kChunkBytes);
    }
    std::string& chunk = chunks_.back();
    const std::string_view part = bytes.substr(0, kChunkBytes - chunk.size());
    chunk += part;
    bytes.remove_prefix(part.size());
  }
}

void TcpFrameChannel::touch() {
  if (dirty_ || set_ == nullptr) return;
  dirty_ = true;
  set_->mark_dirty(shared_from_this());
}

void TcpFrameChannel::end_turn() {
  dirty_ = false;
  if (set_ == nullptr) return;
  if (open_ && pending_ > 0 && !write_waiting_) {
    offer_output();
    if (open_ && pending_ > 0) arm_write();
  }
  if (!open_) finish_close();
}

// One writev. Drops what the kernel has taken.
void TcpFrameChannel::offer_output() {
  std::vector<boost::asio::const_buffer> buffers;
  std::size_t skip = sent_;
  for (const std::string& chunk : chunks_) {
    if (buffers.size() == kChunksPerWrite) break;
    buffers.emplace_back(chunk.data() + skip, chunk.size() - skip);
    skip = 0;
  }
  SystemError error;
  std::size_t taken = socket_.write_some(buffers, error);
  if (error && !would_block(error)) {
    write_failed_ = true;
    return fail(error.message(), false);
  }
  set_->stats().bytes_out += taken;
  pending_ -= taken;
  while (taken > 0) {
    const std::size_t left = chunks_.front().size() - sent_;
    if (taken < left) {
      sent_ += taken;
      break;
    }
    taken -= left;
    sent_ = 0;
    chunks_.pop_front();
  }
}

void TcpFrameChannel::arm_write() {
  write_waiting_ = true;
  socket_.async_wait(TcpSocket::wait_write, [self = shared_from_this()](const SystemError& error) {
    self->write_waiting_ = false;
    if (!self->open_) return;
    if (error) return self->fail(error.message(), false);
    self->touch();
  });
}

}  // namespace gantry::net
