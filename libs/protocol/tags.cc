// SPDX-License-Identifier: Apache-2.0
#include "protocol/tags.h"

namespace gantry::protocol {
namespace {

// Decodes one code point that starts with a byte >= 0x80; moves `i` past it.
std::uint32_t decode_multibyte(std::string_view s, std::size_t& i) {
  constexpr std::uint32_t kReplacement = 0xFFFD;
  const auto lead = static_cast<unsigned char>(s[i]);
  const int extra = lead >= 0xF0 && lead < 0xF8   ? 3
                    : lead >= 0xE0 && lead < 0xF0 ? 2
                    : lead >= 0xC2 && lead < 0xE0 ? 1
                                                  : 0;
  if (extra == 0 || i + static_cast<std::size_t>(extra) >= s.size()) {
    ++i;
    return kReplacement;
  }
  std::uint32_t point = lead & (0x3FU >> extra);
  for (int k = 1; k <= extra; ++k) {
    const auto next = static_cast<unsigned char>(s[i + static_cast<std::size_t>(k)]);
    if ((next & 0xC0U) != 0x80U) {
      ++i;
      return kReplacement;
    }
    point = (point << 6) | (next & 0x3FU);
  }
  i += static_cast<std::size_t>(extra) + 1;
  return point <= 0x10FFFF ? point : kReplacement;
}

}  // namespace

std::int32_t java_hash(std::string_view s, std::int32_t seed) {
  auto h = static_cast<std::uint32_t>(seed);
  for (std::size_t i = 0; i < s.size();) {
    const auto c = static_cast<unsigned char>(s[i]);
    if (c < 0x80) {
      h = h * 31 + c;
      ++i;
      continue;
    }
    const std::uint32_t point = decode_multibyte(s, i);
    if (point >= 0x10000) {
      const std::uint32_t v = point - 0x10000;
      h = h * 31 + (0xD800 + (v >> 10));
      h = h * 31 + (0xDC00 + (v & 0x3FF));
    } else {
      h = h * 31 + point;
    }
  }
  return static_cast<std::int32_t>(h);
}

}  // namespace gantry::protocol
