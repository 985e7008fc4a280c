// SPDX-License-Identifier: Apache-2.0
#include "protocol/body_codec.h"

#include <limits>

#include "protocol/body_fields.h"

namespace gantry::protocol {
namespace {

template <class T>
bool parse_exactly(std::string_view text, T& out) {
  T value{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) return false;
  out = value;
  return true;
}

bool is_scalar_text(JsonNode node) {
  return node.kind() == JsonKind::kNumber || node.kind() == JsonKind::kString;
}

template <class T>
void read_whole(JsonNode node, T& out, ReadStatus& status, std::string_view what) {
  if (!is_scalar_text(node) || !parse_exactly(node.text(), out)) status.fail(what);
}

bool same_ignoring_case(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if ((a[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

}  // namespace

void ReadStatus::fail(std::string_view what) {
  constexpr std::size_t kNameBytesMax = 64;
  if (!ok()) return;
  for (const std::string_view name : path_) {
    if (!message_.empty()) message_ += '.';
    message_ += name.substr(0, kNameBytesMax);
  }
  message_ += message_.empty() ? "" : ": ";
  message_ += what;
}

namespace body {

void read(JsonNode node, std::string& out, ReadStatus& status) {
  if (node.is_array() || node.is_object()) return status.fail("expected a string");
  out = node.text();
}

void read(JsonNode node, bool& out, ReadStatus& status) {
  const std::string_view text = node.text();
  const bool number = node.kind() == JsonKind::kNumber;
  if (number ? text == "1" : same_ignoring_case(text, "true")) {
    out = true;
  } else if (number ? text == "0" : same_ignoring_case(text, "false")) {
    out = false;
  } else {
    status.fail("expected a boolean");
  }
}

void read(JsonNode node, std::int32_t& out, ReadStatus& status) {
  read_whole(node, out, status, "expected a whole number of 32 bits");
}

void read(JsonNode node, std::int64_t& out, ReadStatus& status) {
  read_whole(node, out, status, "expected a whole number of 64 bits");
}

void read(JsonNode node, double& out, ReadStatus& status) {
  read_whole(node, out, status, "expected a number");
}

void read(JsonNode node, Language& out, ReadStatus& status) {
  if (node.is_array() || node.is_object()) return status.fail("expected a language");
  std::int64_t code = 0;
  out =
      parse_exactly(node.text(), code) ? language_from_code(code) : language_from_name(node.text());
}

std::size_t read_enum(JsonNode node, std::span<const std::string_view> names, ReadStatus& status) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (node.is_string() && names[i] == node.text()) return i;
  }
  std::size_t ordinal = 0;
  if (is_scalar_text(node) && parse_exactly(node.text(), ordinal) && ordinal < names.size()) {
    return ordinal;
  }
  std::string expected = "expected one of";
  for (const std::string_view name : names) expected.append(" ").append(name);
  status.fail(expected);
  return 0;
}

void read_key(std::string_view text, std::int64_t& out, ReadStatus& status) {
  if (!parse_exactly(text, out)) status.fail("expected a whole number of 64 bits as key");
}

void read_key(std::string_view text, std::int32_t& out, ReadStatus& status) {
  if (!parse_exactly(text, out)) status.fail("expected a whole number of 32 bits as key");
}

void read_key(std::string_view text, MessageQueue& out, ReadStatus& status) {
  Result<MessageQueue> key = MessageQueue::from_json(text);
  if (!key) return status.fail(key.error().message);
  out = std::move(*key);
}

}  // namespace body
}  // namespace gantry::protocol
