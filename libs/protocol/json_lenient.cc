// SPDX-License-Identifier: Apache-2.0
#include "protocol/json_lenient.h"

#include <utility>

#include "protocol/json_number.h"
#include "protocol/json_scan.h"
#include "protocol/json_unescape.h"
#include "protocol/utf8.h"

namespace gantry::protocol {

class LenientParser {
 public:
  explicit LenientParser(std::string_view text)
      : begin_(text.data()), p_(begin_), end_(begin_ + text.size()) {}

  Result<JsonDocument> parse();

 private:
  static constexpr int kDepthMax = 64;
  static constexpr std::size_t kNodesMax = 4'000'000;
  using Entry = JsonDocument::Entry;

  bool fail(std::string_view what, ErrorCode code = ErrorCode::kCorrupt) {
    what_ = what;
    code_ = code;
    return false;
  }
  char peek() const { return p_ < end_ ? *p_ : '\0'; }
  void skip_space() {
    while (p_ < end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
  }
  bool expect(char c, std::string_view what) {
    skip_space();
    if (peek() != c) return fail(what);
    ++p_;
    skip_space();
    return true;
  }

  bool parse_value(std::string_view key, int depth);
  bool parse_container(std::size_t index, int depth);
  bool parse_key(std::string_view& key, int depth);
  bool parse_string(std::string_view& text);
  bool unescape(const char* begin, std::string_view& text);
  bool parse_number(std::string_view& text);
  bool parse_literal(Entry& entry);

  const char* begin_;
  const char* p_;
  const char* end_;
  JsonDocument document_;
  std::string_view what_;
  ErrorCode code_ = ErrorCode::kCorrupt;
};

bool LenientParser::parse_string(std::string_view& text) {
  if (peek() != '"') return fail("expected a string");
  const char* const content = ++p_;
  while (p_ < end_ && !is_json_special(*p_)) ++p_;
  if (peek() != '"') return unescape(content, text);
  text = {content, p_};
  ++p_;
  return true;
}

// The string holds something else than plain ASCII, first at p_.
bool LenientParser::unescape(const char* begin, std::string_view& text) {
  std::string content(begin, p_);
  while (p_ < end_) {
    const char* const run = p_;
    while (p_ < end_ && !is_json_special(*p_)) ++p_;
    content.append(run, p_);
    if (p_ == end_) break;
    if (*p_ == '"') {
      ++p_;
      text = document_.strings_.emplace_back(std::move(content));
      return true;
    }
    if (*p_ == '\\') {
      const JsonEscape escape = scan_json_escape(p_, end_);
      if (escape.size == 0) return fail(escape.what);
      char bytes[4];
      content.append(bytes, utf8_put(bytes, escape.point));
      p_ += escape.size;
    } else if (static_cast<unsigned char>(*p_) < 0x20) {
      return fail("control character in a string");
    } else {
      const std::size_t size = utf8_sequence_size(p_, end_);
      if (size == 0) return fail("bytes that are not UTF-8 in a string");
      content.append(p_, size);
      p_ += size;
    }
  }
  return fail("string without end");
}

bool LenientParser::parse_number(std::string_view& text) {
  const JsonNumber number = scan_json_number(p_, end_);
  if (number.size == 0) return fail(number.what);
  text = {p_, number.size};
  p_ += number.size;
  return true;
}

bool LenientParser::parse_literal(Entry& entry) {
  constexpr std::pair<std::string_view, JsonKind> kLiterals[] = {
      {"true", JsonKind::kBool}, {"false", JsonKind::kBool}, {"null", JsonKind::kNull}};
  const std::string_view left(p_, end_);
  for (const auto& [literal, kind] : kLiterals) {
    if (!left.starts_with(literal)) continue;
    entry.text = left.substr(0, literal.size());
    entry.kind = kind;
    p_ += literal.size();
    return true;
  }
  return fail("expected a value");
}

bool LenientParser::parse_key(std::string_view& key, int depth) {
  const char c = peek();
  if (c == '"') {
    if (!parse_string(key)) return false;
    return key != "$ref" || fail("fastjson reference \"$ref\"", ErrorCode::kUnsupported);
  }
  if (c == '-' || (c >= '0' && c <= '9')) return parse_number(key);
  if (c != '{') return fail("expected a key");
  // The key's own nodes are dropped: it stays as its text, like a key in quotes would arrive.
  const char* const start = p_;
  const std::size_t nodes = document_.entries_.size();
  if (!parse_value({}, depth)) return false;
  document_.entries_.resize(nodes);
  key = {start, p_};
  return true;
}

bool LenientParser::parse_container(std::size_t index, int depth) {
  if (depth >= kDepthMax) return fail("nested too deep");
  const bool object = *p_ == '{';
  const char close = object ? '}' : ']';
  document_.entries_[index].kind = object ? JsonKind::kObject : JsonKind::kArray;
  ++p_;
  skip_space();
  while (peek() != close) {
    std::string_view key;
    if (object && !(parse_key(key, depth + 1) && expect(':', "expected ':'"))) return false;
    if (!parse_value(key, depth + 1)) return false;
    skip_space();
    if (peek() == close) break;
    if (!expect(',', object ? "expected ',' or '}'" : "expected ',' or ']'")) return false;
    if (peek() == close) return fail("comma before the end");
  }
  ++p_;
  document_.entries_[index].end = static_cast<std::uint32_t>(document_.entries_.size());
  return true;
}

bool LenientParser::parse_value(std::string_view key, int depth) {
  const std::size_t index = document_.entries_.size();
  if (index >= kNodesMax) return fail("more than 4 million values");
  document_.entries_.push_back(
      {.key = key, .text = {}, .end = static_cast<std::uint32_t>(index + 1), .kind = {}});
  Entry& entry = document_.entries_[index];
  const char c = peek();
  if (c == '{' || c == '[') return parse_container(index, depth);
  if (c == '"') {
    entry.kind = JsonKind::kString;
    return parse_string(entry.text);
  }
  if (c == '-' || (c >= '0' && c <= '9')) {
    entry.kind = JsonKind::kNumber;
    return parse_number(entry.text);
  }
  return parse_literal(entry);
}

Result<JsonDocument> LenientParser::parse() {
  skip_space();
  bool ok = parse_value({}, 0);
  if (ok) {
    skip_space();
    ok = p_ == end_ || fail("text after the value");
  }
  if (!ok) {
    return make_error(code_,
                      "JSON: " + std::string(what_) + " at byte " + std::to_string(p_ - begin_));
  }
  return std::move(document_);
}

Result<JsonDocument> JsonDocument::parse(std::string_view text) {
  return LenientParser(text).parse();
}

std::optional<JsonNode> JsonNode::member(std::string_view name) const {
  std::optional<JsonNode> found;
  if (!is_object()) return found;
  for_each([&](JsonNode child) {
    if (child.key() == name) found = child;
    return true;
  });
  if (found && found->kind() == JsonKind::kNull) found.reset();
  return found;
}

}  // namespace gantry::protocol
