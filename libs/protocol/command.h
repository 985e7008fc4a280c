// SPDX-License-Identifier: Apache-2.0
// One RocketMQ remoting command: the frame and its header, decoded without allocation (CommandView)
// or owned (Command). Format: docs/protocol/remoting.md. Pure: no I/O, threads or clock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace gantry::protocol {

inline constexpr std::size_t kFrameBytesMax = 16777216;  // with the length field; larger: close
inline constexpr std::int32_t kFlagResponse = 1;
inline constexpr std::int32_t kFlagOneway = 2;
// Ordinal of RocketMQ release 5.3.3: what Gantry answers as its version.
inline constexpr std::int32_t kVersion = 479;

enum class SerializeType : std::uint8_t { kJson = 0, kRocketmq = 1 };

enum class Language : std::uint8_t {
  kJava = 0,
  kCpp = 1,
  kDotnet = 2,
  kPython = 3,
  kDelphi = 4,
  kErlang = 5,
  kRuby = 6,
  kOther = 7,
  kHttp = 8,
  kGo = 9,
  kPhp = 10,
  kOms = 11,
  kRust = 12,
  kNodeJs = 13,
  kUnknown = 127,
};
// Names as RocketMQ spells them; kUnknown is written as "OTHER", which every reader knows.
std::string_view language_name(Language language);
Language language_from_name(std::string_view name);  // kUnknown for a name that is not in the list
Language language_from_code(std::int64_t code);      // kUnknown for a number out of range

struct ExtField {
  std::string_view key;
  std::string_view value;
};

// A header with more fields than this does not decode: lookups are linear.
inline constexpr std::size_t kExtFieldsMax = 512;

// The extFields of a decoded command, views into the frame. Order as received; a key that comes
// twice: the last wins. Nulls are dropped, numbers and booleans kept as their text.
// A handler that needs most fields of a request walks all() once; find() is for the odd field.
class ExtFields {
 public:
  void add(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  void clear();
  std::span<const ExtField> all() const;
  bool present() const { return present_; }  // false: the header had no extFields member at all
  void set_present() { present_ = true; }

  std::optional<std::string_view> find(std::string_view key) const;
  std::string_view get(std::string_view key) const;  // "" when absent
  bool get_bool(std::string_view key, bool fallback) const;
  // nullopt when absent or not a whole decimal number of that width.
  std::optional<std::int32_t> get_int32(std::string_view key) const;
  std::optional<std::int64_t> get_int64(std::string_view key) const;

 private:
  static constexpr std::size_t kInline = 24;
  static std::uint64_t key_bit(std::string_view key);
  const ExtField* lookup(std::string_view key) const;
  void add_slow(std::string_view key, std::string_view value);

  std::array<ExtField, kInline> inline_;  // the first inline_count_ are set
  std::size_t inline_count_ = 0;
  std::vector<ExtField> spill_;  // all fields, once there are more than kInline
  std::uint64_t seen_ = 0;       // key_bit of every key: a clear bit saves the search
  bool present_ = false;
};

inline std::uint64_t ExtFields::key_bit(std::string_view key) {
  if (key.empty()) return 1;
  const std::size_t first = static_cast<unsigned char>(key.front());
  const std::size_t last = static_cast<unsigned char>(key.back());
  // One-letter keys, the form of SEND_MESSAGE_V2, never share a bit.
  return std::uint64_t{1} << ((first ^ (last << 2U) ^ (key.size() * 5)) & 63U);
}

inline void ExtFields::add(std::string_view key, std::string_view value) {
  const std::uint64_t bit = key_bit(key);
  if ((seen_ & bit) == 0 && inline_count_ < kInline) [[likely]] {
    seen_ |= bit;
    inline_[inline_count_++] = {key, value};
    return;
  }
  add_slow(key, value);
}

inline void ExtFields::clear() {
  inline_count_ = 0;
  spill_.clear();
  seen_ = 0;
  present_ = false;
}

inline std::span<const ExtField> ExtFields::all() const {
  if (spill_.empty()) [[likely]]
    return {inline_.data(), inline_count_};
  return spill_;
}

// Valid as long as the frame's bytes. Reusable: decode() resets it and keeps its capacity.
struct CommandView {
  std::int32_t code = 0;
  Language language = Language::kJava;
  std::int32_t version = 0;
  std::int32_t opaque = 0;
  std::int32_t flag = 0;
  SerializeType serialize_type = SerializeType::kJson;
  std::optional<std::string_view> remark;
  ExtFields ext;
  std::string_view body;

  bool is_response() const { return (flag & kFlagResponse) != 0; }
  bool is_oneway() const { return (flag & kFlagOneway) != 0; }
};

// Decodes one frame without its 4-byte length field. JSON strings are unescaped in place: `frame`
// is modified and must outlive `out`. Errors: kCorrupt with what is wrong and at which byte.
Result<void> decode(std::span<char> frame, CommandView& out);

// An owned command: requests we send, and answers of handlers that are not on the hot path.
struct Command {
  std::int32_t code = 0;
  Language language = Language::kCpp;
  std::int32_t version = kVersion;
  std::int32_t opaque = 0;
  std::int32_t flag = 0;
  std::optional<std::string> remark;
  std::vector<std::pair<std::string, std::string>> ext;
  std::string body;

  static Command request(std::int32_t code);
  static Command response(std::int32_t code, std::string remark = {});
  Command& with(std::string key, std::string value) &;
  Command&& with(std::string key, std::string value) &&;
  Command& with(std::string key, std::int64_t value) &;
  Command&& with(std::string key, std::int64_t value) &&;

  std::optional<std::string_view> find(std::string_view key) const;
  bool is_response() const { return (flag & kFlagResponse) != 0; }
};
// Copies a view (for answers that outlive the frame).
Command to_command(const CommandView& view);

// Longer remarks are cut when written: they are for people, and a header has 24 bits of length.
inline constexpr std::size_t kRemarkBytesMax = 65536;

// Appends the whole frame, length field included, with a JSON header; extFields values are always
// JSON strings and "extFields" is always present.
void encode(const Command& command, std::string& out);

// Hot path: appends a response frame piece by piece without building a Command.
//   ResponseWriter w(out, code, opaque); w.ext("queueId", 3); w.remark("FOUND");
//   w.finish(body_size); then append exactly body_size bytes to `out`.
class ResponseWriter {
 public:
  ResponseWriter(std::string& out, std::int32_t code, std::int32_t opaque);
  // The value is escaped; the key is a name of ours and needs none.
  void ext(std::string_view key, std::string_view value);
  void ext(std::string_view key, std::int64_t value);
  // Escaped, cut after kRemarkBytesMax; call after the last ext().
  void remark(std::string_view text);
  void finish(std::size_t body_size);

 private:
  void short_field(std::string_view key, std::string_view plain);
  void close_ext();
  std::string& out_;
  std::size_t frame_begin_;
  std::int32_t opaque_;
  bool ext_open_ = true;
  bool first_ext_ = true;
};

// The fixed-width ROCKETMQ binary header, for our own client and for tests (we always answer JSON).
// It has 16 bits for code and version: only their low halves travel. Keys over 32767 bytes are left
// out.
void encode_rocketmq(const Command& command, std::string& out);

}  // namespace gantry::protocol
