// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "config/source.h"

namespace gantry::config {
namespace {

constexpr std::string_view kBlank = " \t\f";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(char c) { return kBlank.find(c) != std::string_view::npos; }

// Hands out the natural lines of a text: ended by \n, \r or \r\n.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const std::size_t end = std::min(rest_.find_first_of("\r\n"), rest_.size());
    line = rest_.substr(0, end);
    const bool crlf = rest_.substr(end, 2) == "\r\n";
    rest_.remove_prefix(std::min(end + (crlf ? 2 : 1), rest_.size()));
    ++number_;
    return true;
  }
  int number() const { return number_; }

 private:
  std::string_view rest_;
  int number_ = 0;
};

std::string_view without_leading_blanks(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  return line;
}

bool is_comment(std::string_view line) { return line.starts_with('#') || line.starts_with('!'); }

// An odd number of backslashes at the end continues the line.
bool is_continued(std::string_view line) {
  std::size_t count = 0;
  while (count < line.size() && line[line.size() - 1 - count] == '\\') ++count;
  return count % 2 == 1;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::optional<std::uint32_t> parse_hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text.substr(0, 4)) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!digit && !letter) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(digit ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

bool is_high_surrogate(std::uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(std::uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

// Appends the character that `text`, just behind a `\u`, stands for (two escapes if it is a
// surrogate pair); returns how much of `text` it took, or nothing if it is malformed.
std::optional<std::size_t> append_unicode_escape(std::string& out, std::string_view text) {
  constexpr std::uint32_t kReplacement = 0xFFFD;
  const auto unit = parse_hex4(text);
  if (!unit) return std::nullopt;
  if (is_high_surrogate(*unit) && text.substr(4, 2) == "\\u") {
    const auto low = parse_hex4(text.substr(6));
    if (low && is_low_surrogate(*low)) {
      append_utf8(out, 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00));
      return 10;
    }
  }
  const bool lone = is_high_surrogate(*unit) || is_low_surrogate(*unit);
  append_utf8(out, lone ? kReplacement : *unit);
  return 4;
}

// Undoes the escapes of one key or value; nothing if a \u is malformed.
std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) break;  // a backslash at the end of the file stands for nothing
    switch (text[i]) {
      case 't':
        out += '\t';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 'f':
        out += '\f';
        break;
      case 'u': {
        const auto taken = append_unicode_escape(out, text.substr(i + 1));
        if (!taken) return std::nullopt;
        i += *taken;
        break;
      }
      default:
        out += text[i];
    }
  }
  return out;
}

struct RawPair {
  std::string_view key;
  std::string_view value;
};

RawPair split_pair(std::string_view line) {
  std::size_t key_end = 0;
  while (key_end < line.size()) {
    const char c = line[key_end];
    if (c == '=' || c == ':' || is_blank(c)) break;
    key_end += c == '\\' ? 2 : 1;
  }
  key_end = std::min(key_end, line.size());
  std::string_view value = without_leading_blanks(line.substr(key_end));
  if (!value.empty() && (value.front() == '=' || value.front() == ':')) {
    value = without_leading_blanks(value.substr(1));
  }
  return {line.substr(0, key_end), value};
}

void append_escaped(std::string& out, std::string_view text, bool is_key) {
  if (is_key && text.starts_with(kByteOrderMark)) {  // the first key of a file would lose it
    out += "\\ufeff";
    text.remove_prefix(kByteOrderMark.size());
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\f':
        out += "\\f";
        break;
      case ' ':
        out += is_key || i == 0 ? "\\ " : " ";
        break;
      case '=':
      case ':':
      case '#':
      case '!':
        if (is_key) out += '\\';
        out += c;
        break;
      default:
        out += c;
    }
  }
}

}  // namespace

Result<std::vector<Entry>> parse_properties(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<Entry> entries;
  Lines lines(text);
  for (std::string_view natural; lines.next(natural);) {
    natural = without_leading_blanks(natural);
    if (natural.empty() || is_comment(natural)) continue;
    const int first_line = lines.number();
    std::string line(natural);
    while (is_continued(line)) {
      line.pop_back();
      if (!lines.next(natural)) break;
      natural = without_leading_blanks(natural);
      if (line.empty() && is_comment(natural)) break;  // nothing yet to be continued
      line += natural;
    }
    if (line.empty()) continue;  // nothing but continuations
    const RawPair raw = split_pair(line);
    auto key = unescape(raw.key);
    auto value = unescape(raw.value);
    if (!key || !value) {
      return make_error(
          ErrorCode::kInvalidArgument,
          std::to_string(first_line) + ": \\u must be followed by four hexadecimal digits");
    }
    entries.push_back({std::move(*key), std::move(*value), first_line});
  }
  return entries;
}

void append_property(std::string& out, std::string_view key, std::string_view value) {
  append_escaped(out, key, true);
  out += '=';
  append_escaped(out, value, false);
  out += '\n';
}

}  // namespace gantry::config
