// SPDX-License-Identifier: Apache-2.0
#include "protocol/json_escape.h"

#include "protocol/json_scan.h"
#include "protocol/utf8.h"

namespace gantry::protocol {
namespace {

void append_special(std::string& out, char c) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto b = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[b >> 4U];
  out += kHex[b & 0xFU];
}

}  // namespace

bool is_plain_json_text(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  for (; end - p >= std::ptrdiff_t{kJsonBlock}; p += kJsonBlock) {
    if (json_special_mask(p) != 0) return false;
  }
  if (text.size() >= 8) {
    for (; end - p >= 8; p += 8) {
      if (any_json_special8(p)) return false;
    }
    return !any_json_special8(end - 8);  // the rest, with bytes seen before
  }
  for (; p != end; ++p) {
    if (is_json_special(*p)) return false;
  }
  return true;
}

void append_json_escaped(std::string& out, std::string_view text) {
  if (is_plain_json_text(text)) {
    out += text;
    return;
  }
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    const char* run = p;
    while (p != end && !is_json_special(*p)) ++p;
    out.append(run, p);
    if (p == end) break;
    if (static_cast<unsigned char>(*p) < 0x80) {
      append_special(out, *p++);
    } else if (const std::size_t n = utf8_sequence_size(p, end); n != 0) {
      out.append(p, n);
      p += n;
    } else {
      out += "\xEF\xBF\xBD";
      ++p;
    }
  }
}

}  // namespace gantry::protocol
