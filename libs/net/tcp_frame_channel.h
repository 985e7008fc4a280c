// SPDX-License-Identifier: Apache-2.0
// Private to libs/net: a frame channel over one TCP socket.
//
// Reading: bytes go into the set's shared buffer, all complete frames are handled, only a partial
// rest is kept here. A large frame is received straight into its own memory, which grows with what
// arrives and not with what the length field claims.
// Writing: frames are copied into chunks; one writev at the end of the turn offers them.
// Closing: close() only marks; socket and callbacks follow in finish_close(), at the turn's end.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/frame_channel.h"
#include "net/frame_input.h"
#include "net/frame_set.h"
#include "net/socket.h"

namespace gantry::net {

class TcpFrameChannel final : public FrameChannel,
                              private FrameSource,
                              public std::enable_shared_from_this<TcpFrameChannel> {
 public:
  TcpFrameChannel(FrameSet& set, std::uint64_t id, TcpSocket socket, HostPort peer,
                  std::string dialled, FrameSet::Gone gone);

  std::uint64_t id() const override { return id_; }
  const HostPort& peer() const override { return peer_; }
  const std::string& dialled() const override { return dialled_; }
  bool open() const override { return open_; }
  bool send(std::string_view header, std::span<const std::string_view> body) override;
  void accept_peer() override { peer_accepted_ = true; }
  void close(std::string_view reason) override { fail(reason, false); }
  void reject(std::string_view reason) override { fail(reason, true); }

  // For the set.
  void start();
  void end_turn();
  void finish_close();

 private:
  void fail(std::string_view reason, bool protocol_error);
  void touch();

  void arm_read();
  void on_readable();
  // FrameSource
  std::size_t receive(std::span<char> room) override;
  std::size_t consume(std::span<char> bytes) override;
  bool reading() const override { return open_; }
  bool is_open() const override { return open_; }
  bool valid_start(std::span<const char> bytes);

  void append(std::string_view bytes);
  void offer_output();
  void arm_write();

  FrameSet* set_;  // null once closed
  const std::uint64_t id_;
  TcpSocket socket_;
  const HostPort peer_;
  const std::string dialled_;
  FrameSet::Gone gone_;

  bool open_ = true;
  bool dirty_ = false;
  bool read_armed_ = false;
  bool write_waiting_ = false;
  bool write_failed_ = false;
  bool peer_accepted_ = false;

  FrameInput input_;
  std::deque<std::string> chunks_;
  std::size_t sent_ = 0;     // of the first chunk
  std::size_t pending_ = 0;  // bytes of all chunks that were not taken
};

}  // namespace gantry::net
