// SPDX-License-Identifier: Apache-2.0
// Private to libs/net: a connection over one TCP socket.
//
// Reading: an idle connection owns no buffer. When the socket is readable, bytes go into the set's
// shared buffer, all complete frames are handled, and only a partial rest is kept here. A large
// frame is received straight into its own memory, which grows as bytes arrive.
// Writing: touch() puts the connection on the set's list; end_turn() does one send for everything
// the turn has appended. What the kernel does not take waits until the socket is writable.
// Closing: close() only marks; the socket is closed and callbacks run in finish_close(), at the
// turn's end, so that nobody who holds a reference is surprised.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "net/connection.h"
#include "net/connection_set.h"
#include "net/frame_input.h"
#include "net/socket.h"

namespace gantry::net {

class TcpConnection final : public Connection,
                            private FrameSource,
                            public std::enable_shared_from_this<TcpConnection> {
 public:
  TcpConnection(ConnectionSet& set, ConnectionId id, TcpSocket socket, HostPort peer,
                HostPort local);

  ConnectionId id() const override { return id_; }
  const HostPort& peer() const override { return peer_; }
  const HostPort& local() const override { return local_; }
  bool open() const override { return open_; }
  std::string& output() override { return output_; }
  void touch() override;
  std::size_t output_pending() const override { return output_.size() - sent_; }
  void send(const protocol::Command& command) override;
  void call(protocol::Command request, std::chrono::milliseconds timeout, Reply reply) override;
  void send_oneway(protocol::Command request) override;
  void close(std::string_view reason) override;

  // For the set.
  void start();
  void end_turn();
  void sweep();
  void expire_call(std::int32_t opaque);
  void finish_close();

 private:
  struct PendingCall {
    Reply reply;
    ConnectionSet::Deadlines::iterator deadline;
    std::uint64_t received_before;
  };
  enum class Severity { kRoutine, kLimit, kProtocol };

  void fail(Severity severity, std::string_view reason);

  void arm_read();
  void on_readable();
  // FrameSource
  std::size_t receive(std::span<char> room) override;
  std::size_t consume(std::span<char> bytes) override;
  bool reading() const override { return open_ && !read_paused_; }
  bool is_open() const override { return open_; }
  bool valid_frame_start(std::span<const char> bytes);
  void dispatch(std::span<char> frame);
  void deliver_response(const protocol::CommandView& view);
  void pause_reading();
  void resume_reading();

  std::int32_t take_opaque();
  void flush();
  void offer_output();
  void arm_write();

  ConnectionSet* set_;  // null once closed
  const ConnectionId id_;
  TcpSocket socket_;
  const HostPort peer_;
  const HostPort local_;

  bool open_ = true;
  bool dirty_ = false;
  bool read_armed_ = false;
  bool read_paused_ = false;
  bool write_waiting_ = false;
  bool write_failed_ = false;
  std::string close_reason_;

  FrameInput input_;
  std::string output_;
  std::size_t sent_ = 0;  // bytes of output_ the kernel has taken
  std::uint64_t received_ = 0;
  std::uint64_t active_tick_;
  std::uint64_t write_tick_;

  std::int32_t next_opaque_ = 0;
  std::unordered_map<std::int32_t, PendingCall> calls_;
};

}  // namespace gantry::net
