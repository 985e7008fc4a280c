// SPDX-License-Identifier: Apache-2.0
#include "net/tcp_connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cstring>
#include <limits>
#include <utility>

#include "base/bytes.h"
#include "log/log.h"

namespace gantry::net {
namespace {

constexpr Logger kLog("net");

constexpr std::size_t kHeaderLengthBytes = 4;
// Bytes one connection may read before others have their turn.
constexpr std::size_t kReadBytesPerTurn = 1U << 20;
constexpr std::size_t kLargeFrameStep = 64U << 10;
// A drained output buffer larger than this is given back at once, a smaller one by the sweep.
constexpr std::size_t kKeepOutputMax = 1U << 20;

bool would_block(const SystemError& error) {
  return error == boost::asio::error::would_block || error == boost::asio::error::interrupted;
}

// Assigning an empty string would keep the memory.
void give_back(std::string& buffer) { std::string().swap(buffer); }

}  // namespace

TcpConnection::TcpConnection(ConnectionSet& set, ConnectionId id, TcpSocket socket, HostPort peer,
                             HostPort local)
    : set_(&set),
      id_(id),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      local_(std::move(local)),
      input_(kLargeFrameStep),
      active_tick_(set.tick()),
      write_tick_(set.tick()) {}

void TcpConnection::start() {
  set_->handler().on_open(*this);
  arm_read();
}

// ---- closing

void TcpConnection::close(std::string_view reason) { fail(Severity::kRoutine, reason); }

void TcpConnection::fail(Severity severity, std::string_view reason) {
  if (!open_) return;
  open_ = false;
  close_reason_ = reason;
  if (severity == Severity::kRoutine) {
    kLog.debug("connection closed peer={} id={} reason=\"{}\"", peer_.text(), id_, reason);
  } else {
    kLog.warn(set_->warn_rate(), "connection closed peer={} id={} reason=\"{}\"", peer_.text(), id_,
              reason);
    if (severity == Severity::kProtocol) ++set_->stats().protocol_errors;
  }
  touch();
}

void TcpConnection::finish_close() {
  if (set_ == nullptr) return;
  const auto keep = shared_from_this();
  const auto set = set_->weak_from_this().lock();  // null only while the set is being destroyed
  if (!write_failed_ && output_pending() > 0) offer_output();
  SystemError ignored;
  socket_.shutdown(TcpSocket::shutdown_both, ignored);
  socket_.close(ignored);
  ConnectionHandler& handler = set_->handler();
  set_->remove(id_);
  auto calls = std::move(calls_);
  calls_.clear();
  for (auto& [opaque, call] : calls) set_->remove_deadline(call.deadline);
  handler.on_close(*this);
  // After the handler, because a reply may destroy it.
  for (auto& [opaque, call] : calls) {
    call.reply(make_error(ErrorCode::kUnavailable,
                          fmt::format("connection to {} closed: {}", peer_.text(), close_reason_)));
  }
  set_ = nullptr;
  input_.reset();
  give_back(output_);
  sent_ = 0;
}

void TcpConnection::sweep() {
  if (!open_) return;
  const std::uint64_t now = set_->tick();
  const ConnectionLimits& limits = set_->limits();
  if (set_->idle_ticks() > 0 && now - active_tick_ >= set_->idle_ticks()) {
    fail(Severity::kRoutine, fmt::format("idle for {} ms", limits.idle_max.count()));
    return;
  }
  if (write_waiting_ && set_->stall_ticks() > 0 && now - write_tick_ >= set_->stall_ticks()) {
    fail(Severity::kLimit, fmt::format("the peer has taken nothing for {} ms, {} bytes wait",
                                       limits.output_stall_max.count(), output_pending()));
    return;
  }
  if (output_.empty() && now - active_tick_ > 1) give_back(output_);
}

// ---- reading

void TcpConnection::arm_read() {
  if (!open_ || read_armed_ || read_paused_) return;
  read_armed_ = true;
  socket_.async_wait(TcpSocket::wait_read, [self = shared_from_this()](const SystemError& error) {
    self->read_armed_ = false;
    if (!self->open_) return;
    if (error) {
      self->fail(Severity::kRoutine, error.message());
      return;
    }
    self->on_readable();
  });
}

void TcpConnection::on_readable() {
  const auto keep = set_->shared_from_this();
  input_.read(*this, set_->read_buffer(), kReadBytesPerTurn);
  arm_read();  // after a full read the socket is still readable: that only ends this turn's share
}

// Bytes received; 0 when there are none now or the connection has failed.
std::size_t TcpConnection::receive(std::span<char> room) {
  SystemError error;
  const std::size_t got =
      socket_.read_some(boost::asio::mutable_buffer(room.data(), room.size()), error);
  if (error) {
    if (error == boost::asio::error::eof) {
      fail(Severity::kRoutine, "closed by the peer");
    } else if (!would_block(error)) {
      fail(Severity::kRoutine, error.message());
    }
    return 0;
  }
  received_ += got;
  set_->stats().bytes_in += got;
  active_tick_ = set_->tick();
  return got;
}

// Handles all complete frames; returns how many bytes they had. Stops early when the connection is
// closed or paused.
std::size_t TcpConnection::consume(std::span<char> bytes) {
  const std::size_t pause_at = set_->limits().output_pause_bytes;
  std::size_t used = 0;
  while (open_ && bytes.size() - used >= kFrameLengthBytes) {
    const std::span<char> rest = bytes.subspan(used);
    if (output_pending() > pause_at) {
      pause_reading();
      break;
    }
    if (!valid_frame_start(rest)) break;
    const std::size_t size = frame_bytes(rest.data());
    if (rest.size() < size) break;
    used += size;
    dispatch(rest.subspan(kFrameLengthBytes, size - kFrameLengthBytes));
  }
  return used;
}

// Checks the two lengths as soon as they are there. At least the length field is.
bool TcpConnection::valid_frame_start(std::span<const char> bytes) {
  const std::size_t size = frame_bytes(bytes.data());
  if (size > protocol::kFrameBytesMax) {
    fail(Severity::kProtocol,
         fmt::format("frame of {} bytes, at most {} are allowed", size, protocol::kFrameBytesMax));
    return false;
  }
  if (size < kFrameLengthBytes + kHeaderLengthBytes) {
    fail(Severity::kProtocol, fmt::format("frame of {} bytes has no header length", size));
    return false;
  }
  if (bytes.size() < kFrameLengthBytes + kHeaderLengthBytes) return true;
  const std::size_t header = load_be<std::uint32_t>(bytes.data() + kFrameLengthBytes) & 0xFFFFFFU;
  if (header <= size - kFrameLengthBytes - kHeaderLengthBytes) return true;
  fail(Severity::kProtocol, fmt::format("header of {} bytes in a frame of {} bytes", header, size));
  return false;
}

void TcpConnection::dispatch(std::span<char> frame) {
  protocol::CommandView& view = set_->view();
  ++set_->stats().frames_in;
  if (const auto decoded = protocol::decode(frame, view); !decoded) {
    fail(Severity::kProtocol, decoded.error().message);
    return;
  }
  if (view.is_response()) {
    deliver_response(view);
  } else {
    set_->handler().on_request(*this, view);
  }
}

void TcpConnection::pause_reading() {
  read_paused_ = true;
  kLog.debug("reading paused, the peer does not take its answers peer={} id={} output_bytes={}",
             peer_.text(), id_, output_pending());
}

void TcpConnection::resume_reading() {
  if (!open_ || read_paused_) return;
  const auto keep = set_->shared_from_this();
  input_.again(*this);
  arm_read();
}

// ---- calls

void TcpConnection::call(protocol::Command request, std::chrono::milliseconds timeout,
                         Reply reply) {
  if (!open_) {
    if (set_ == nullptr) return;
    set_->shard().post([reply = std::move(reply), peer = peer_.text()]() mutable {
      reply(make_error(ErrorCode::kUnavailable, fmt::format("connection to {} is closed", peer)));
    });
    return;
  }
  request.opaque = take_opaque();
  request.flag &= ~(protocol::kFlagResponse | protocol::kFlagOneway);
  const auto deadline = set_->add_deadline(std::chrono::steady_clock::now() + timeout,
                                           {.connection = id_, .opaque = request.opaque});
  calls_.emplace(request.opaque, PendingCall{std::move(reply), deadline, received_});
  send(request);
}

std::int32_t TcpConnection::take_opaque() {
  std::int32_t taken = 0;
  do {
    taken = next_opaque_;
    next_opaque_ = taken == std::numeric_limits<std::int32_t>::max() ? 0 : taken + 1;
  } while (calls_.contains(taken));
  return taken;
}

void TcpConnection::deliver_response(const protocol::CommandView& view) {
  const auto found = calls_.find(view.opaque);
  if (found == calls_.end()) {
    kLog.debug("response without a request, or too late peer={} opaque={} code={}", peer_.text(),
               view.opaque, view.code);
    return;
  }
  Reply reply = std::move(found->second.reply);
  set_->remove_deadline(found->second.deadline);
  calls_.erase(found);
  reply(protocol::to_command(view));
}

void TcpConnection::expire_call(std::int32_t opaque) {
  const auto found = calls_.find(opaque);
  if (found == calls_.end()) return;
  Reply reply = std::move(found->second.reply);
  const bool silent = found->second.received_before == received_;
  set_->remove_deadline(found->second.deadline);
  calls_.erase(found);
  if (silent && set_->limits().close_when_silent) {
    fail(Severity::kRoutine, "no answer in time and no byte since the request");
  }
  reply(make_error(ErrorCode::kTimeout, fmt::format("no answer from {} in time", peer_.text())));
}

void TcpConnection::send_oneway(protocol::Command request) {
  request.opaque = take_opaque();
  request.flag = (request.flag & ~protocol::kFlagResponse) | protocol::kFlagOneway;
  send(request);
}

// ---- writing

void TcpConnection::send(const protocol::Command& command) {
  if (!open_) return;
  protocol::encode(command, output_);
  touch();
}

void TcpConnection::touch() {
  if (dirty_ || set_ == nullptr) return;
  dirty_ = true;
  set_->mark_dirty(shared_from_this());
}

void TcpConnection::end_turn() {
  dirty_ = false;
  if (set_ == nullptr) return;
  if (open_) {
    flush();
  } else {
    finish_close();
  }
}

void TcpConnection::flush() {
  if (output_pending() > 0 && !write_waiting_) {
    offer_output();
    if (write_failed_) return;
    if (output_pending() > 0) arm_write();
  }
  const ConnectionLimits& limits = set_->limits();
  if (output_pending() > limits.output_max_bytes) {
    fail(Severity::kLimit, fmt::format("{} bytes wait for the peer, at most {} are allowed",
                                       output_pending(), limits.output_max_bytes));
    return;
  }
  if (read_paused_ && output_pending() <= limits.output_pause_bytes / 2) {
    read_paused_ = false;
    set_->shard().post([self = shared_from_this()] { self->resume_reading(); });
  }
}

// One send. Drops what the kernel has taken.
void TcpConnection::offer_output() {
  SystemError error;
  const std::size_t taken = socket_.write_some(
      boost::asio::const_buffer(output_.data() + sent_, output_.size() - sent_), error);
  if (error && !would_block(error)) {
    write_failed_ = true;
    fail(Severity::kRoutine, error.message());
    return;
  }
  if (taken > 0) {
    set_->stats().bytes_out += taken;
    active_tick_ = write_tick_ = set_->tick();
    sent_ += taken;
  }
  if (sent_ == output_.size()) {
    sent_ = 0;
    if (output_.capacity() > kKeepOutputMax) {
      give_back(output_);
    } else {
      output_.clear();
    }
  } else if (sent_ > kKeepOutputMax && sent_ > output_.size() / 2) {
    output_.erase(0, sent_);  // moves less than was sent since the last time
    sent_ = 0;
  }
}

void TcpConnection::arm_write() {
  write_waiting_ = true;
  write_tick_ = set_->tick();
  socket_.async_wait(TcpSocket::wait_write, [self = shared_from_this()](const SystemError& error) {
    self->write_waiting_ = false;
    if (!self->open_) return;
    if (error) {
      self->fail(Severity::kRoutine, error.message());
      return;
    }
    self->touch();
  });
}

}  // namespace gantry::net
