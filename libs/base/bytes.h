// SPDX-License-Identifier: Apache-2.0
// Big-endian loads and stores: everything RocketMQ puts on the wire or on disk is big-endian.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace gantry {

template <class T>
T load_be(const void* p) {
  T x;
  std::memcpy(&x, p, sizeof x);
  if constexpr (sizeof(T) == 1) return x;
  return std::byteswap(x);
}

template <class T>
void store_be(void* p, T x) {
  if constexpr (sizeof(T) > 1) x = std::byteswap(x);
  std::memcpy(p, &x, sizeof x);
}

static_assert(std::endian::native == std::endian::little, "Gantry builds for little-endian hosts");

}  // namespace gantry
