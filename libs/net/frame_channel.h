// SPDX-License-Identifier: Apache-2.0
// Generic frames over TCP, for protocols between servers of our own:
//
//   u32  length of what follows
//   u32  length of the header
//   header bytes, body bytes                  (integers big-endian)
//
// A channel carries them both ways; what header and body mean is the handler's business. Best
// effort: a frame that finds the output queue full is dropped, counted and never waited for.
// Channels are made by a FrameEndpoint and belong to its shard; every call is made there.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "net/connection.h"

namespace gantry::net {

class FrameChannel {
 public:
  virtual ~FrameChannel() = default;
  // Unique in the endpoint, grows with every channel.
  virtual std::uint64_t id() const = 0;
  virtual const HostPort& peer() const = 0;
  // What FrameEndpoint::connect() was given; empty: accepted.
  virtual const std::string& dialled() const = 0;
  virtual bool open() const = 0;

  // Copies the frame into the output queue, which leaves at the end of the turn. `body` is the
  // concatenation of its pieces. False: not sent, because the queue is full, the frame is over the
  // limits or the channel is closed.
  virtual bool send(std::string_view header, std::span<const std::string_view> body) = 0;
  // The handler is content with the peer. Until it says so, a dialled channel that ends counts as a
  // failed attempt, and the pause before the next one grows.
  virtual void accept_peer() = 0;
  // Offers what is queued to the kernel once more, then closes. open() is false at once; on_close()
  // follows at the end of the turn, never inside close(). `reason` goes to the log.
  virtual void close(std::string_view reason) = 0;
  // The same because the peer broke the protocol: logged as a warning, counted.
  virtual void reject(std::string_view reason) = 0;
};

// Must outlive its endpoint and must not destroy it from inside a callback.
class FrameHandler {
 public:
  virtual ~FrameHandler() = default;
  virtual void on_open(FrameChannel& channel) = 0;
  // The views are valid during the call.
  virtual void on_frame(FrameChannel& channel, std::string_view header, std::string_view body) = 0;
  // After this call the channel is gone.
  virtual void on_close(FrameChannel& channel) = 0;
};

struct FrameOptions {
  std::size_t header_bytes_max = 1U << 20;
  std::size_t frame_bytes_max = 80U << 20;   // with both lengths
  std::size_t output_bytes_max = 96U << 20;  // of one channel; an empty queue takes any frame
  std::size_t channels_max = 1024;           // more are closed right after accept
  std::chrono::milliseconds connect_timeout{3000};
  std::chrono::milliseconds redial_min{100}, redial_max{2000};
  // The peer's kernel has acknowledged nothing for this long: closed (TCP_USER_TIMEOUT and
  // keepalive, so that a host that vanished is noticed although nobody says so).
  std::chrono::seconds silence_max{10};
};

struct FrameStats {
  std::size_t channels = 0;
  std::uint64_t accepted = 0, dialled = 0, dial_failures = 0;
  std::uint64_t frames_in = 0, frames_out = 0, bytes_in = 0, bytes_out = 0;
  std::uint64_t dropped = 0;  // frames that were not queued
  std::uint64_t protocol_errors = 0;
};

}  // namespace gantry::net
