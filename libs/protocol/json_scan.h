// SPDX-License-Identifier: Apache-2.0
// Finds the bytes that end or interrupt plain JSON string content, 64 at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gantry::protocol {

inline constexpr std::size_t kJsonBlock = 64;

// Whether a byte is more than itself inside a JSON string: quote, backslash, control character, or
// part of a multi-byte UTF-8 sequence.
inline bool is_json_special(char c) {
  const auto b = static_cast<unsigned char>(c);
  return b < 0x20 || b >= 0x80 || b == '"' || b == '\\';
}

// Whether one of 8 bytes is special.
inline bool any_json_special8(const char* p) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighs = 0x8080808080808080U;
  const auto has_zero = [](std::uint64_t w) { return (w - kOnes) & ~w & kHighs; };
  std::uint64_t w;
  std::memcpy(&w, p, sizeof w);
  const std::uint64_t control = (w - kOnes * 0x20) & ~w & kHighs;
  return ((w & kHighs) | control | has_zero(w ^ (kOnes * '"')) | has_zero(w ^ (kOnes * '\\'))) != 0;
}

// Bit i says whether p[i] is special. Reads kJsonBlock bytes.
inline std::uint64_t json_special_mask(const char* p) {
  std::uint64_t mask = 0;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i space = _mm_set1_epi8(0x20);
  for (unsigned i = 0; i < kJsonBlock; i += 16) {
    const __m128i c = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i));
    // The comparison is signed: bytes from 0x80 up are negative, hence also below the space.
    const __m128i hit =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(c, quote), _mm_cmpeq_epi8(c, backslash)),
                     _mm_cmplt_epi8(c, space));
    const auto bits = static_cast<std::uint32_t>(_mm_movemask_epi8(hit));
    mask |= std::uint64_t{bits} << i;
  }
#else
  for (unsigned i = 0; i < kJsonBlock; ++i) {
    mask |= static_cast<std::uint64_t>(is_json_special(p[i])) << i;
  }
#endif
  return mask;
}

}  // namespace gantry::protocol
