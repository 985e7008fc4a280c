// SPDX-License-Identifier: Apache-2.0
// How it goes fast: the bytes that matter inside strings (quote, backslash, control, non-ASCII) are
// found 64 at a time as a bit mask, so that the end of a string is the next set bit and no byte of
// plain content is looked at twice. Strings with escapes take the slower road of unescape().
#include "protocol/json_header.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <string>

#include "protocol/json_number.h"
#include "protocol/json_scan.h"
#include "protocol/json_unescape.h"
#include "protocol/utf8.h"

namespace gantry::protocol {
namespace {

// Bit i says whether block[i] is special; bits from `end` on are 0.
[[gnu::noinline]] std::uint64_t load_mask(const char* block, const char* end,
                                          const char* readable_end) {
  std::uint64_t mask = 0;
  const std::ptrdiff_t left = end - block;
  if (readable_end - block >= std::ptrdiff_t{kJsonBlock}) [[likely]] {
    mask = json_special_mask(block);
  } else {
    char copy[kJsonBlock] = {};
    std::memcpy(copy, block, static_cast<std::size_t>(left));
    mask = json_special_mask(copy);
  }
  return left >= std::ptrdiff_t{kJsonBlock} ? mask : mask & ((std::uint64_t{1} << left) - 1);
}

// Hands out the positions of special bytes in order; `end` after the last. A small value: loops
// keep a copy in registers.
class SpecialBytes {
 public:
  SpecialBytes(char* begin, char* end, const char* readable_end)
      : mask_(load_mask(begin, end, readable_end)),
        block_(begin),
        end_(end),
        readable_end_(readable_end) {}

  [[gnu::always_inline]] char* pop() {
    while (mask_ == 0) [[unlikely]] {
      if (end_ - block_ <= std::ptrdiff_t{kJsonBlock}) return end_;
      block_ += kJsonBlock;
      mask_ = load_mask(block_, end_, readable_end_);
    }
    char* const at = block_ + std::countr_zero(mask_);
    mask_ &= mask_ - 1;
    return at;
  }

  // The first position at or after `from`, dropping those before.
  [[gnu::always_inline]] char* pop_from(const char* from) {
    char* at = pop();
    while (at < from) [[unlikely]]
      at = pop();
    return at;
  }

 private:
  std::uint64_t mask_;
  char* block_;
  char* end_;
  const char* readable_end_;
};

// memmove for the runs between escapes: short, and `to` below `from`.
void move_down(char* to, const char* from, std::size_t size) {
  if (size >= 8) {
    // Loaded first, because the copies before may overwrite it at its old place.
    std::uint64_t tail;
    std::memcpy(&tail, from + size - 8, 8);
    for (std::size_t i = 0; i + 8 <= size; i += 8) {
      std::uint64_t word;
      std::memcpy(&word, from + i, 8);
      std::memcpy(to + i, &word, 8);
    }
    std::memcpy(to + size - 8, &tail, 8);
    return;
  }
  for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
}

class HeaderParser {
 public:
  HeaderParser(std::span<char> header, const char* readable_end, CommandView& out)
      : begin_(header.data()),
        p_(begin_),
        end_(begin_ + header.size()),
        specials_(begin_, end_, readable_end),
        out_(out) {}

  bool parse();
  std::string_view what() const { return what_; }
  std::size_t error_at() const { return static_cast<std::size_t>(error_at_ - begin_); }

 private:
  static constexpr std::string_view kBom = "\xEF\xBB\xBF";

  bool fail(const char* at, std::string_view what) {
    error_at_ = at;
    what_ = what;
    return false;
  }
  char peek() const { return p_ < end_ ? *p_ : '\0'; }
  void skip_space() {
    while (p_ < end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
  }
  // Moves past `c`, and past space on both sides, of which there normally is none.
  bool expect(char c, std::string_view what) {
    if (peek() != c) [[unlikely]] {
      skip_space();
      if (peek() != c) return fail(p_, what);
    }
    ++p_;
    if (static_cast<unsigned char>(peek()) <= ' ') [[unlikely]]
      skip_space();
    return true;
  }
  // After a member or element: ',' (more follows) or `close`.
  bool next_or_close(char close, bool& more);
  bool next_or_close_slow(char close, bool& more);

  bool parse_string(std::string_view& text);
  [[gnu::noinline]] bool unescape(char* content, char* special, std::string_view& text);
  bool parse_number(std::string_view& text, bool* whole = nullptr);
  bool parse_literal(std::string_view& text);
  // A string, number or boolean as text; null as nullopt.
  bool parse_scalar(std::optional<std::string_view>& text);

  bool parse_member(std::string_view key);
  bool parse_int(std::int32_t& value);
  bool parse_int_slow(std::int32_t& value);
  bool parse_language();
  bool parse_ext_fields();
  void add_plain_fields(std::size_t& count);
  bool parse_ext_field(std::size_t& count);
  bool skip_value(int depth);
  bool skip_container(int depth);

  char* begin_;
  char* p_;
  char* end_;
  SpecialBytes specials_;
  CommandView& out_;
  std::string_view what_;
  const char* error_at_ = nullptr;
};

inline bool HeaderParser::next_or_close(char close, bool& more) {
  if (end_ - p_ >= 2 && *p_ == ',' && p_[1] == '"') [[likely]] {
    ++p_;
    more = true;
    return true;
  }
  if (p_ < end_ && *p_ == close) {
    ++p_;
    more = false;
    return true;
  }
  return next_or_close_slow(close, more);
}

bool HeaderParser::next_or_close_slow(char close, bool& more) {
  skip_space();
  const char c = peek();
  if (c != ',' && c != close) {
    return fail(p_, close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
  }
  ++p_;
  more = c == ',';
  if (more) skip_space();
  return true;
}

inline bool HeaderParser::parse_string(std::string_view& text) {
  if (peek() != '"') return fail(p_, "expected a string");
  specials_.pop_from(p_);  // the opening quote
  char* const content = p_ + 1;
  char* const special = specials_.pop();
  if (special != end_ && *special == '"') [[likely]] {
    text = {content, special};
    p_ = special + 1;
    return true;
  }
  return unescape(content, special, text);
}

// \u0001 to \u0009: how the separators of message properties arrive, several per send.
inline bool is_separator_escape(const char* p, const char* end) {
  return end - p >= 6 && std::memcmp(p + 1, "u000", 4) == 0 && p[5] >= '1' && p[5] <= '9';
}

// The string holds something else than plain ASCII; `special` is where.
bool HeaderParser::unescape(char* content, char* special, std::string_view& text) {
  char* to = special;
  for (char* from = special;;) {
    if (special == end_) return fail(end_, "string without end");
    const auto moved = static_cast<std::size_t>(special - from);
    if (to != from) move_down(to, from, moved);
    to += moved;
    from = special;
    const auto c = static_cast<unsigned char>(*from);
    if (c == '"') {
      text = {content, to};
      p_ = from + 1;
      return true;
    }
    if (c < 0x20) return fail(from, "control character in a string");
    if (c == '\\' && is_separator_escape(from, end_)) {
      *to++ = static_cast<char>(from[5] - '0');
      from += 6;
    } else if (c == '\\') {
      const JsonEscape escape = scan_json_escape(from, end_);
      if (escape.size == 0) return fail(from, escape.what);
      to = utf8_put(to, escape.point);
      from += escape.size;
    } else {
      const std::size_t size = utf8_sequence_size(from, end_);
      if (size == 0) return fail(from, "bytes that are not UTF-8 in a string");
      for (std::size_t i = 0; i < size; ++i) *to++ = *from++;
    }
    special = specials_.pop_from(from);
  }
}

bool HeaderParser::parse_number(std::string_view& text, bool* whole) {
  const JsonNumber number = scan_json_number(p_, end_);
  if (number.size == 0) return fail(p_, number.what);
  text = {p_, number.size};
  p_ += number.size;
  if (whole != nullptr) *whole = number.whole;
  return true;
}

bool HeaderParser::parse_literal(std::string_view& text) {
  const std::string_view left(p_, static_cast<std::size_t>(end_ - p_));
  for (const std::string_view literal : {"true", "false", "null"}) {
    if (left.starts_with(literal)) {
      text = left.substr(0, literal.size());
      p_ += literal.size();
      return true;
    }
  }
  return fail(p_, "expected a value");
}

bool HeaderParser::parse_scalar(std::optional<std::string_view>& text) {
  const char c = peek();
  std::string_view found;
  if (c == '"') [[likely]] {
    if (!parse_string(found)) return false;
  } else if (c == '-' || (c >= '0' && c <= '9')) {
    if (!parse_number(found)) return false;
  } else if (c == '{' || c == '[') {
    return fail(p_, "expected a string, number, boolean or null");
  } else {
    if (!parse_literal(found)) return false;
    if (found == "null") {
      text.reset();
      return true;
    }
  }
  text = found;
  return true;
}

// A whole number of 32 bits.
inline bool HeaderParser::parse_int(std::int32_t& value) {
  constexpr std::ptrdiff_t kSafeDigits = 9;
  const char* p = p_;
  std::int32_t parsed = 0;
  while (p < end_ && *p >= '0' && *p <= '9' && p - p_ < kSafeDigits) {
    parsed = parsed * 10 + (*p++ - '0');
  }
  const bool plain = p < end_ && (*p == ',' || *p == '}') && p > p_ && (*p_ != '0' || p - p_ == 1);
  if (!plain) [[unlikely]]
    return parse_int_slow(value);
  value = parsed;
  p_ += p - p_;
  return true;
}

// Every other form: signs, ten digits, space behind; like Java also as a string; null is 0.
bool HeaderParser::parse_int_slow(std::int32_t& value) {
  const char* const at = p_;
  std::string_view text;
  bool whole = true;
  if (peek() == '"') {
    if (!parse_string(text)) return false;
  } else if (peek() == 'n') {
    if (!parse_literal(text)) return false;
    value = 0;
    return true;
  } else if (!parse_number(text, &whole)) {
    return false;
  }
  std::int32_t parsed = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (!whole || error != std::errc() || stop != text.data() + text.size()) {
    return fail(at, "expected a whole number of 32 bits");
  }
  value = parsed;
  return true;
}

bool HeaderParser::parse_language() {
  if (peek() == '"') {
    std::string_view name;
    if (!parse_string(name)) return false;
    out_.language = language_from_name(name);
    return true;
  }
  std::int32_t code = 0;
  if (!parse_int(code)) return false;
  out_.language = language_from_code(code);
  return true;
}

bool HeaderParser::parse_ext_fields() {
  out_.ext.clear();
  if (peek() == 'n') {
    std::string_view null_text;
    const char* const at = p_;
    return parse_literal(null_text) &&
           (null_text == "null" || fail(at, "expected an object or null"));
  }
  if (!expect('{', "expected an object or null")) return false;
  out_.ext.set_present();
  if (peek() == '}') {
    ++p_;
    return true;
  }
  std::size_t count = 0;
  for (bool more = true; more;) {
    add_plain_fields(count);
    if (!parse_ext_field(count)) return false;
    if (!next_or_close('}', more)) return false;
  }
  return true;
}

// Adds fields of the form "key":"value", with plain text and another field behind, as long as they
// come; most headers have no others but the last one and the properties.
inline void HeaderParser::add_plain_fields(std::size_t& count) {
  SpecialBytes specials = specials_;
  char* p = p_;
  for (; count < kExtFieldsMax; ++count) {
    const SpecialBytes before = specials;
    char* const key = specials.pop_from(p);
    char* const key_end = specials.pop();
    specials.pop();  // the opening quote of the value, if all is plain
    char* const value_end = specials.pop();
    const bool plain = key == p && value_end - key_end >= 3 && end_ - value_end >= 3 &&
                       *key == '"' && std::memcmp(key_end, "\":\"", 3) == 0 &&
                       std::memcmp(value_end, "\",\"", 3) == 0;
    if (!plain) {
      specials = before;
      break;
    }
    out_.ext.add({key + 1, key_end}, {key_end + 3, value_end});
    p = value_end + 2;
  }
  specials_ = specials;
  p_ = p;
}

bool HeaderParser::parse_ext_field(std::size_t& count) {
  std::string_view key;
  if (!parse_string(key)) return false;
  if (!expect(':', "expected ':'")) return false;
  std::optional<std::string_view> value;
  if (!parse_scalar(value)) return false;
  if (!value) {
    out_.ext.erase(key);
    return true;
  }
  if (++count > kExtFieldsMax) return fail(p_, "more than 512 extFields");
  out_.ext.add(key, *value);
  return true;
}

bool HeaderParser::skip_value(int depth) {
  if (peek() == '{' || peek() == '[') return skip_container(depth);
  std::optional<std::string_view> text;
  return parse_scalar(text);
}

bool HeaderParser::skip_container(int depth) {
  if (depth >= kJsonDepthMax) return fail(p_, "nested too deep");
  const bool object = *p_ == '{';
  const char close = object ? '}' : ']';
  ++p_;
  skip_space();
  if (peek() == close) {
    ++p_;
    return true;
  }
  for (bool more = true; more;) {
    std::string_view key;
    if (object && !(parse_string(key) && expect(':', "expected ':'"))) return false;
    if (!skip_value(depth + 1)) return false;
    if (!next_or_close(close, more)) return false;
  }
  return true;
}

bool HeaderParser::parse_member(std::string_view key) {
  switch (key.size()) {
    case 4:
      if (key == "code") return parse_int(out_.code);
      if (key == "flag") return parse_int(out_.flag);
      break;
    case 6:
      if (key == "opaque") return parse_int(out_.opaque);
      if (key == "remark") return parse_scalar(out_.remark);
      break;
    case 7:
      if (key == "version") return parse_int(out_.version);
      break;
    case 8:
      if (key == "language") return parse_language();
      break;
    case 9:
      if (key == "extFields") return parse_ext_fields();
      break;
    default:
      break;
  }
  return skip_value(1);
}

bool HeaderParser::parse() {
  if (std::string_view(p_, end_).starts_with(kBom)) p_ += kBom.size();
  skip_space();
  if (!expect('{', "expected an object")) return false;
  if (peek() == '}') {
    ++p_;
  } else {
    for (bool more = true; more;) {
      std::string_view key;
      if (!parse_string(key)) return false;
      if (!expect(':', "expected ':'")) return false;
      if (!parse_member(key)) return false;
      if (!next_or_close('}', more)) return false;
    }
  }
  skip_space();
  return p_ == end_ || fail(p_, "text after the header object");
}

}  // namespace

Result<void> decode_json_header(std::span<char> header, const char* readable_end,
                                std::size_t offset, CommandView& out) {
  HeaderParser parser(header, readable_end, out);
  if (parser.parse()) [[likely]]
    return {};
  return make_error(ErrorCode::kCorrupt, "JSON header: " + std::string(parser.what()) +
                                             " at byte " +
                                             std::to_string(offset + parser.error_at()));
}

}  // namespace gantry::protocol
