// SPDX-License-Identifier: Apache-2.0
#include "net/frame_input.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/bytes.h"

namespace gantry::net {
namespace {

// Partial frames up to this size are copied back into the shared buffer; larger ones are received
// in place, because copying them once per arrival would be quadratic.
constexpr std::size_t kCopyFrameMax = 16U << 10;

}  // namespace

std::size_t frame_bytes(const char* start) {
  return kFrameLengthBytes + load_be<std::uint32_t>(start);
}

void FrameInput::read(FrameSource& source, std::span<char> shared, std::size_t bytes_max) {
  std::size_t total = 0;
  std::size_t got = 0;
  do {
    got = partial_frame_bytes() > kCopyFrameMax ? read_large_frame(source)
                                                : read_shared(source, shared);
    total += got;
  } while (got > 0 && total < bytes_max && source.reading());
}

void FrameInput::again(FrameSource& source) {
  ByteBuffer kept = std::move(partial_);
  const std::size_t used = source.consume(kept.bytes());
  if (source.is_open() && used < kept.size()) {
    partial_.assign(kept.data() + used, kept.size() - used);
  }
}

// Size of the frame whose start is kept; 0 when none is or its length is not complete.
std::size_t FrameInput::partial_frame_bytes() const {
  return partial_.size() < kFrameLengthBytes ? 0 : frame_bytes(partial_.data());
}

// One receive into the shared buffer, behind the partial frame. Returns the bytes received if there
// may be more at once, else 0: a read that did not fill the buffer has emptied the socket.
std::size_t FrameInput::read_shared(FrameSource& source, std::span<char> shared) {
  const std::size_t kept = partial_.size();
  if (kept > 0) std::memcpy(shared.data(), partial_.data(), kept);
  const std::size_t got = source.receive(shared.subspan(kept));
  if (got == 0) return 0;
  const std::span<char> bytes = shared.first(kept + got);
  const std::size_t used = source.consume(bytes);
  if (!source.is_open() || used == bytes.size()) {
    partial_.reset();
  } else {
    partial_.assign(bytes.data() + used, bytes.size() - used);
  }
  return bytes.size() == shared.size() ? got : 0;
}

std::size_t FrameInput::read_large_frame(FrameSource& source) {
  const std::size_t wanted = partial_frame_bytes() - partial_.size();
  // Memory follows what has arrived, not what the length says; doubling keeps the copying linear.
  const std::size_t step = std::min(wanted, std::max(large_frame_step_, partial_.size()));
  const std::span<char> free = partial_.prepare(step);
  const std::span<char> room = free.first(std::min(free.size(), wanted));
  const std::size_t got = source.receive(room);
  partial_.grow_by(got);
  if (got == wanted) {
    ByteBuffer frame = std::move(partial_);
    if (source.consume(frame.bytes()) == 0 && source.is_open()) partial_ = std::move(frame);
  }
  return got == room.size() ? got : 0;
}

}  // namespace gantry::net
