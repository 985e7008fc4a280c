// SPDX-License-Identifier: Apache-2.0
#include "protocol/command.h"

#include <charconv>
#include <cstring>

#include "base/bytes.h"
#include "protocol/json_header.h"
#include "protocol/rocketmq_header.h"

namespace gantry::protocol {
namespace {

constexpr std::array<std::string_view, 14> kLanguageNames = {
    "JAVA",  "CPP",  "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY",
    "OTHER", "HTTP", "GO",     "PHP",    "OMS",    "RUST",   "NODE_JS"};

bool same_key(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.empty()) return true;
  // Most keys differ in the first byte or have only one: no call then.
  return a.front() == b.front() &&
         (a.size() == 1 || std::memcmp(a.data() + 1, b.data() + 1, a.size() - 1) == 0);
}

template <class T>
std::optional<T> parse_whole(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  const char* begin = text->data();
  const char* const end = begin + text->size();
  if (begin != end && *begin == '+') {
    ++begin;
    if (begin != end && *begin == '-') return std::nullopt;
  }
  T value = 0;
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

std::string_view language_name(Language language) {
  const auto index = static_cast<std::size_t>(language);
  return index < kLanguageNames.size() ? kLanguageNames[index] : "OTHER";
}

Language language_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kLanguageNames.size(); ++i) {
    if (kLanguageNames[i] == name) return static_cast<Language>(i);
  }
  return Language::kUnknown;
}

Language language_from_code(std::int64_t code) {
  const bool known = code >= 0 && code < static_cast<std::int64_t>(kLanguageNames.size());
  return known ? static_cast<Language>(code) : Language::kUnknown;
}

const ExtField* ExtFields::lookup(std::string_view key) const {
  if ((seen_ & key_bit(key)) == 0) return nullptr;
  for (const ExtField& field : all()) {
    if (same_key(field.key, key)) return &field;
  }
  return nullptr;
}

void ExtFields::add_slow(std::string_view key, std::string_view value) {
  if (const ExtField* known = lookup(key)) {
    const auto index = static_cast<std::size_t>(known - all().data());
    (spill_.empty() ? inline_[index] : spill_[index]).value = value;
    return;
  }
  seen_ |= key_bit(key);
  if (spill_.empty() && inline_count_ < kInline) {
    inline_[inline_count_++] = {key, value};
    return;
  }
  if (spill_.empty()) spill_.assign(inline_.begin(), inline_.end());
  spill_.push_back({key, value});
}

void ExtFields::erase(std::string_view key) {
  const ExtField* known = lookup(key);
  if (known == nullptr) return;
  const auto index = known - all().data();
  if (!spill_.empty()) {
    spill_.erase(spill_.begin() + index);
    if (!spill_.empty()) return;
    inline_count_ = 0;
    return;
  }
  std::copy(inline_.begin() + index + 1,
            inline_.begin() + static_cast<std::ptrdiff_t>(inline_count_), inline_.begin() + index);
  --inline_count_;
}

std::optional<std::string_view> ExtFields::find(std::string_view key) const {
  const ExtField* field = lookup(key);
  if (field == nullptr) return std::nullopt;
  return field->value;
}

std::string_view ExtFields::get(std::string_view key) const {
  const ExtField* field = lookup(key);
  return field == nullptr ? std::string_view() : field->value;
}

bool ExtFields::get_bool(std::string_view key, bool fallback) const {
  const ExtField* field = lookup(key);
  if (field == nullptr) return fallback;
  // As Java's Boolean.parseBoolean: "true" in any case, everything else is false.
  constexpr std::string_view kTrue = "true";
  if (field->value.size() != kTrue.size()) return false;
  for (std::size_t i = 0; i < kTrue.size(); ++i) {
    if ((field->value[i] | 0x20) != kTrue[i]) return false;
  }
  return true;
}

std::optional<std::int32_t> ExtFields::get_int32(std::string_view key) const {
  return parse_whole<std::int32_t>(find(key));
}

std::optional<std::int64_t> ExtFields::get_int64(std::string_view key) const {
  return parse_whole<std::int64_t>(find(key));
}

Result<void> decode(std::span<char> frame, CommandView& out) {
  constexpr std::size_t kPrefix = 4;  // serialize type and header length
  if (frame.size() < kPrefix) {
    return make_error(ErrorCode::kCorrupt, "frame of " + std::to_string(frame.size()) +
                                               " bytes, shorter than its header length field");
  }
  const auto word = load_be<std::uint32_t>(frame.data());
  const std::size_t header_size = word & 0xFFFFFFU;
  if (header_size > frame.size() - kPrefix) {
    return make_error(ErrorCode::kCorrupt, "header length " + std::to_string(header_size) +
                                               " exceeds the frame of " +
                                               std::to_string(frame.size()) + " bytes");
  }
  out.code = 0;
  out.language = Language::kJava;
  out.version = 0;
  out.opaque = 0;
  out.flag = 0;
  out.remark.reset();
  out.ext.clear();
  const std::span<char> header = frame.subspan(kPrefix, header_size);
  const std::span<char> body = frame.subspan(kPrefix + header_size);
  out.body = {body.data(), body.size()};
  switch (word >> 24U) {
    case static_cast<std::uint32_t>(SerializeType::kJson):
      out.serialize_type = SerializeType::kJson;
      return decode_json_header(header, frame.data() + frame.size(), kPrefix, out);
    case static_cast<std::uint32_t>(SerializeType::kRocketmq):
      out.serialize_type = SerializeType::kRocketmq;
      return decode_rocketmq_header({header.data(), header.size()}, kPrefix, out);
    default:
      return make_error(ErrorCode::kCorrupt,
                        "unknown serialize type " + std::to_string(word >> 24U) + " at byte 0");
  }
}

Command Command::request(std::int32_t code) {
  Command command;
  command.code = code;
  return command;
}

Command Command::response(std::int32_t code, std::string remark) {
  Command command;
  command.code = code;
  command.flag = kFlagResponse;
  if (!remark.empty()) command.remark = std::move(remark);
  return command;
}

Command& Command::with(std::string key, std::string value) & {
  ext.emplace_back(std::move(key), std::move(value));
  return *this;
}

Command&& Command::with(std::string key, std::string value) && {
  return std::move(with(std::move(key), std::move(value)));
}

Command& Command::with(std::string key, std::int64_t value) & {
  return with(std::move(key), std::to_string(value));
}

Command&& Command::with(std::string key, std::int64_t value) && {
  return std::move(with(std::move(key), value));
}

std::optional<std::string_view> Command::find(std::string_view key) const {
  for (auto field = ext.rbegin(); field != ext.rend(); ++field) {
    if (field->first == key) return field->second;
  }
  return std::nullopt;
}

Command to_command(const CommandView& view) {
  Command command;
  command.code = view.code;
  command.language = view.language;
  command.version = view.version;
  command.opaque = view.opaque;
  command.flag = view.flag;
  if (view.remark) command.remark = std::string(*view.remark);
  command.ext.reserve(view.ext.all().size());
  for (const ExtField& field : view.ext.all()) command.ext.emplace_back(field.key, field.value);
  command.body = view.body;
  return command;
}

}  // namespace gantry::protocol
