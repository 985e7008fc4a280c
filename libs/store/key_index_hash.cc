// SPDX-License-Identifier: Apache-2.0
#include "store/key_index_hash.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gantry::store {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080U;
constexpr std::uint32_t kReplacement = 0xFFFD;

constexpr auto kPowers = [] {
  std::array<std::uint32_t, 17> p{};
  p[0] = 1;
  for (std::size_t i = 1; i < p.size(); ++i) p[i] = p[i - 1] * 31U;
  return p;
}();

// The hash of the eight ASCII characters in `x` (first character lowest): neighbours are combined
// inside one register, 8 bytes -> 4 pairs -> 2 quads; no lane can overflow into the next.
std::uint32_t hash_eight(std::uint64_t x) {
  constexpr std::uint64_t kBytes = 0x00FF00FF00FF00FFU;
  constexpr std::uint64_t kPairs = 0x0000FFFF0000FFFFU;
  x = (x & kBytes) * 31U + ((x >> 8) & kBytes);
  x = (x & kPairs) * (31U * 31U) + ((x >> 16) & kPairs);
  return static_cast<std::uint32_t>(x) * kPowers[4] + static_cast<std::uint32_t>(x >> 32);
}

std::uint64_t load_eight(const char* p) {
  std::uint64_t x;
  std::memcpy(&x, p, sizeof x);
  return x;
}

// Bytes [p, p + n), n < 8, in the highest lanes; zero characters in front do not change a hash.
std::uint64_t load_tail(const char* p, std::size_t n) {
  std::uint64_t x = 0;
  for (std::size_t i = 0; i < n; ++i) {
    x = (x >> 8) | (static_cast<std::uint64_t>(static_cast<std::uint8_t>(p[i])) << 56);
  }
  return x;
}

bool continues(std::uint8_t b) { return (b & 0xC0) == 0x80; }

struct Decoded {
  std::uint32_t code_point;
  std::size_t bytes;
};

constexpr Decoded malformed(std::size_t bytes) { return {kReplacement, bytes}; }

Decoded decode_three(const std::uint8_t* p, std::size_t left) {
  const bool overlong = p[0] == 0xE0 && left > 1 && (p[1] & 0xE0) == 0x80;
  if (left < 2 || overlong || !continues(p[1])) return malformed(1);
  if (left < 3 || !continues(p[2])) return malformed(2);
  const std::uint32_t c = ((p[0] & 0x0FU) << 12) | ((p[1] & 0x3FU) << 6) | (p[2] & 0x3FU);
  if (c >= 0xD800 && c <= 0xDFFF) return malformed(3);
  return {c, 3};
}

Decoded decode_four(const std::uint8_t* p, std::size_t left) {
  if (p[0] > 0xF4 || left < 2 || !continues(p[1])) return malformed(1);
  if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F)) return malformed(1);
  if (left < 3 || !continues(p[2])) return malformed(2);
  if (left < 4 || !continues(p[3])) return malformed(3);
  return {((p[0] & 0x07U) << 18) | ((p[1] & 0x3FU) << 12) | ((p[2] & 0x3FU) << 6) | (p[3] & 0x3FU),
          4};
}

// One character as the JDK decodes it, including how many bytes a malformed one swallows.
Decoded decode_one(const std::uint8_t* p, std::size_t left) {
  const std::uint8_t b = p[0];
  if (b < 0x80) return {b, 1};
  if (b < 0xC2) return malformed(1);
  if (b < 0xE0) {
    if (left < 2 || !continues(p[1])) return malformed(1);
    return {((b & 0x1FU) << 6) | (p[1] & 0x3FU), 2};
  }
  return b < 0xF0 ? decode_three(p, left) : decode_four(p, left);
}

std::uint32_t hash_utf8(std::uint32_t h, std::string_view text) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(text.data());
  std::size_t left = text.size();
  while (left > 0) {
    const Decoded c = decode_one(p, left);
    if (c.code_point < 0x10000) {
      h = h * 31U + c.code_point;
    } else {
      h = h * 31U + (0xD7C0U + (c.code_point >> 10));
      h = h * 31U + (0xDC00U | (c.code_point & 0x3FFU));
    }
    p += c.bytes;
    left -= c.bytes;
  }
  return h;
}

// The hash of `text` after the prefix that hashed to `h`, eight characters at a time. Sets `seen`
// to the OR of all bytes; the result counts only if that is ASCII.
std::uint32_t hash_by_eight(std::uint32_t h, std::string_view text, std::uint64_t& seen) {
  const char* p = text.data();
  std::size_t left = text.size();
  for (; left >= 8; p += 8, left -= 8) {
    const std::uint64_t x = load_eight(p);
    seen |= x;
    h = h * kPowers[8] + hash_eight(x);
  }
  if (left == 0) return h;
  // With eight bytes before the end, one load that overlaps what has been read, masked, is enough.
  const std::uint64_t x = text.size() >= 8
                              ? load_eight(p + left - 8) & (~std::uint64_t{0} << (8 * (8 - left)))
                              : load_tail(p, left);
  seen |= x;
  return h * kPowers[left] + hash_eight(x);
}

#if defined(__x86_64__)
#define GANTRY_SSE41 [[gnu::target("ssse3,sse4.1")]]

// The hash of sixteen ASCII characters: as hash_eight, in one vector register.
GANTRY_SSE41 inline std::uint32_t hash_sixteen(__m128i x) {
  const __m128i pairs = _mm_maddubs_epi16(x, _mm_set1_epi16(31 | (1 << 8)));
  const __m128i quads = _mm_madd_epi16(pairs, _mm_set1_epi32((31 * 31) | (1 << 16)));
  const __m128i weights = _mm_setr_epi32(
      static_cast<int>(kPowers[12]), static_cast<int>(kPowers[8]), static_cast<int>(kPowers[4]), 1);
  __m128i sum = _mm_mullo_epi32(quads, weights);
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(sum));
}

// As hash_by_eight, for texts of at least sixteen bytes.
GANTRY_SSE41 std::uint32_t hash_by_sixteen(std::uint32_t h, std::string_view text,
                                           std::uint64_t& seen) {
  alignas(32) static constexpr std::array<std::uint8_t, 32> kMasks = [] {
    std::array<std::uint8_t, 32> m{};
    for (std::size_t i = 16; i < m.size(); ++i) m[i] = 0xFF;
    return m;
  }();
  const auto load = [](const void* from) {
    return _mm_loadu_si128(static_cast<const __m128i*>(from));
  };
  __m128i any = _mm_setzero_si128();
  const char* p = text.data();
  std::size_t left = text.size();
  for (; left >= 16; p += 16, left -= 16) {
    const __m128i x = load(p);
    any = _mm_or_si128(any, x);
    h = h * kPowers[16] + hash_sixteen(x);
  }
  if (left > 0) {
    const __m128i x = _mm_and_si128(load(p + left - 16), load(kMasks.data() + left));
    any = _mm_or_si128(any, x);
    h = h * kPowers[left] + hash_sixteen(x);
  }
  if (_mm_movemask_epi8(any) != 0) seen = kHighBits;
  return h;
}

bool has_sse41() {
  static const bool has = __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3");
  return has;
}
#endif

}  // namespace

void JavaHash::update(std::string_view utf8) {
  std::uint64_t seen = 0;
#if defined(__x86_64__)
  const std::uint32_t h = utf8.size() >= 16 && has_sse41() ? hash_by_sixteen(value_, utf8, seen)
                                                           : hash_by_eight(value_, utf8, seen);
#else
  const std::uint32_t h = hash_by_eight(value_, utf8, seen);
#endif
  value_ = (seen & kHighBits) == 0 ? h : hash_utf8(value_, utf8);
}

std::uint32_t key_hash(std::string_view topic, std::string_view key) {
  JavaHash hash;
  hash.update(topic);
  hash.update_ascii('#');
  hash.update(key);
  return hash.positive();
}

std::uint32_t tag_hash(std::string_view topic, std::string_view tag) {
  JavaHash hash;
  hash.update(topic);
  hash.update("#T#");
  hash.update(tag);
  return hash.positive();
}

}  // namespace gantry::store
