// SPDX-License-Identifier: Apache-2.0
// Private to libs/net: the reading side of a connection whose frames begin with their length (u32,
// big-endian, of the rest). One large read at a time into a buffer that all connections of a shard
// share; only the start of a frame that is not complete is kept. Shard only.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

#include "net/byte_buffer.h"

namespace gantry::net {

inline constexpr std::size_t kFrameLengthBytes = 4;

// Bytes of the frame that starts here, length included; at least kFrameLengthBytes must be there.
std::size_t frame_bytes(const char* start);

// Where bytes come from and where complete frames go.
class FrameSource {
 public:
  // Receives into `room`; 0 when there is nothing now or the connection has failed.
  virtual std::size_t receive(std::span<char> room) = 0;
  // Handles all complete frames at the front; returns how many bytes they had.
  virtual std::size_t consume(std::span<char> bytes) = 0;
  virtual bool reading() const = 0;  // open, and not paused
  virtual bool is_open() const = 0;

 protected:
  ~FrameSource() = default;
};

class FrameInput {
 public:
  // Partial frames grow by at least `large_frame_step` at a time, as far as bytes arrive.
  explicit FrameInput(std::size_t large_frame_step) : large_frame_step_(large_frame_step) {}

  // Reads until nothing is left, the source stops reading, or `bytes_max` have been read.
  void read(FrameSource& source, std::span<char> shared, std::size_t bytes_max);
  // Offers what was kept once more (after a pause).
  void again(FrameSource& source);
  void reset() { partial_.reset(); }

 private:
  std::size_t partial_frame_bytes() const;
  std::size_t read_shared(FrameSource& source, std::span<char> shared);
  std::size_t read_large_frame(FrameSource& source);

  const std::size_t large_frame_step_;
  ByteBuffer partial_;  // the start of a frame; while paused also whole frames
};

}  // namespace gantry::net
