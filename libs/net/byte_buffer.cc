// SPDX-License-Identifier: Apache-2.0
#include "net/byte_buffer.h"

#include <cstring>

namespace gantry::net {

void ByteBuffer::assign(const char* data, std::size_t size) {
  size_ = 0;
  std::memcpy(prepare(size).data(), data, size);
  size_ = size;
}

std::span<char> ByteBuffer::prepare(std::size_t room) {
  if (capacity_ - size_ < room) {
    auto grown = std::make_unique_for_overwrite<char[]>(size_ + room);
    if (size_ > 0) std::memcpy(grown.get(), data_.get(), size_);
    data_ = std::move(grown);
    capacity_ = size_ + room;
  }
  return {data_.get() + size_, capacity_ - size_};
}

void ByteBuffer::reset() {
  data_.reset();
  size_ = capacity_ = 0;
}

}  // namespace gantry::net
