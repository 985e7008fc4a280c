// SPDX-License-Identifier: Apache-2.0
// One escape sequence of a JSON string.
#pragma once

#include <cstddef>
#include <string_view>

namespace gantry::protocol {

struct JsonEscape {
  unsigned point = 0;    // code point it stands for
  std::size_t size = 0;  // bytes it takes; 0: not an escape, and `what` says why
  std::string_view what;
};

// Value of four hex digits; -1 if one is not.
inline int parse_hex4(const char* p) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = p[i];
    int digit = 0;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = (c | 0x20) - 'a' + 10;
    } else {
      return -1;
    }
    value = value << 4 | digit;
  }
  return value;
}

inline JsonEscape scan_json_unicode_escape(const char* p, const char* end) {
  const int unit = end - p >= 6 ? parse_hex4(p + 2) : -1;
  if (unit < 0) return {.what = "\\u without four hex digits"};
  const auto point = static_cast<unsigned>(unit);
  if (point < 0xD800 || point >= 0xE000) [[likely]]
    return {.point = point, .size = 6, .what = {}};
  if (point >= 0xDC00) return {.what = "low surrogate without a high one"};
  const bool escape = end - p >= 12 && p[6] == '\\' && p[7] == 'u';
  const int low = escape ? parse_hex4(p + 8) : -1;
  if (low < 0xDC00 || low >= 0xE000) return {.what = "high surrogate without a low one"};
  const unsigned high_bits = (point - 0xD800) << 10U;
  return {
      .point = 0x10000 + high_bits + (static_cast<unsigned>(low) - 0xDC00), .size = 12, .what = {}};
}

// `p` is at the backslash.
inline JsonEscape scan_json_escape(const char* p, const char* end) {
  if (end - p < 2) return {.what = "string without end"};
  const auto one = [](char c) {
    return JsonEscape{.point = static_cast<unsigned char>(c), .size = 2, .what = {}};
  };
  switch (p[1]) {
    case 'u':
      return scan_json_unicode_escape(p, end);
    case '"':
      return one('"');
    case '\\':
      return one('\\');
    case '/':
      return one('/');
    case 'b':
      return one('\b');
    case 'f':
      return one('\f');
    case 'n':
      return one('\n');
    case 'r':
      return one('\r');
    case 't':
      return one('\t');
    default:
      return {.what = "unknown escape in a string"};
  }
}

}  // namespace gantry::protocol
