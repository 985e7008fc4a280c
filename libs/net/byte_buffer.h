// SPDX-License-Identifier: Apache-2.0
// Private to libs/net: bytes of a frame that has not arrived completely. Owns nothing while empty;
// grows without zeroing.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace gantry::net {

class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(ByteBuffer&& other) noexcept { *this = std::move(other); }
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  const char* data() const { return data_.get(); }
  std::span<char> bytes() { return {data_.get(), size_}; }

  void assign(const char* data, std::size_t size);
  // Room for at least `room` more bytes behind the present ones; follow with grow_by().
  std::span<char> prepare(std::size_t room);
  void grow_by(std::size_t n) { size_ += n; }
  // Gives the memory back.
  void reset();

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace gantry::net
