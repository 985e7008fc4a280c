// SPDX-License-Identifier: Apache-2.0
// JSON headers that leave: members in alphabetical order, as Java writes them.
#include <charconv>
#include <cstring>

#include "base/bytes.h"
#include "protocol/command.h"
#include "protocol/json_escape.h"

namespace gantry::protocol {
namespace {

constexpr std::size_t kLengths = 8;       // the length field, and serialize type with header length
constexpr std::size_t kNumberBytes = 20;  // of an int64 with its sign
constexpr std::size_t kShortField = 128;  // key and value that fit into a Piece

// Small pieces are put together here, so that the string grows once per field.
class Piece {
 public:
  Piece& put(std::string_view text) {
    if (!text.empty()) std::memcpy(end_, text.data(), text.size());
    end_ += text.size();
    return *this;
  }
  template <class T>
  Piece& put_number(T value) {
    end_ = std::to_chars(end_, bytes_ + sizeof bytes_, value).ptr;
    return *this;
  }
  std::string_view view() const { return {bytes_, static_cast<std::size_t>(end_ - bytes_)}; }

 private:
  char bytes_[192];
  char* end_ = bytes_;
};

// At most `size` bytes, not ending inside a UTF-8 sequence.
std::string_view cut(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  return text.substr(0, size);
}

void begin_frame(std::string& out, std::int32_t code) {
  Piece piece;
  piece.put(std::string_view("\0\0\0\0\0\0\0\0{\"code\":", kLengths + 8)).put_number(code);
  piece.put(",\"extFields\":{");
  out += piece.view();
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

void end_frame(std::string& out, std::size_t begin, std::int32_t version, std::size_t body_size) {
  Piece piece;
  piece.put(",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":").put_number(version).put("}");
  out += piece.view();
  const std::size_t header_size = out.size() - begin - kLengths;
  char* const lengths = out.data() + begin;
  store_be(lengths, static_cast<std::uint32_t>(4 + header_size + body_size));
  store_be(lengths + 4, static_cast<std::uint32_t>(header_size));  // type JSON is 0
}

}  // namespace

ResponseWriter::ResponseWriter(std::string& out, std::int32_t code, std::int32_t opaque)
    : out_(out), frame_begin_(out.size()), opaque_(opaque) {
  begin_frame(out_, code);
}

void ResponseWriter::ext(std::string_view key, std::string_view value) {
  if (key.size() + value.size() <= kShortField && is_plain_json_text(value)) {
    short_field(key, value);
    return;
  }
  if (!first_ext_) out_ += ',';
  first_ext_ = false;
  append_string(out_, key);
  out_ += ':';
  append_string(out_, value);
}

void ResponseWriter::ext(std::string_view key, std::int64_t value) {
  char digits[kNumberBytes];
  const char* const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  const std::string_view text(digits, end);
  if (key.size() + text.size() <= kShortField) {
    short_field(key, text);
  } else {
    ext(key, text);
  }
}

void ResponseWriter::short_field(std::string_view key, std::string_view plain) {
  Piece piece;
  piece.put(first_ext_ ? "\"" : ",\"").put(key).put("\":\"").put(plain).put("\"");
  out_ += piece.view();
  first_ext_ = false;
}

void ResponseWriter::close_ext() {
  if (!ext_open_) return;
  ext_open_ = false;
  Piece piece;
  piece.put("},\"flag\":1,\"language\":\"CPP\",\"opaque\":").put_number(opaque_);
  out_ += piece.view();
}

void ResponseWriter::remark(std::string_view text) {
  close_ext();
  out_ += ",\"remark\":";
  append_string(out_, cut(text, kRemarkBytesMax));
}

void ResponseWriter::finish(std::size_t body_size) {
  close_ext();
  end_frame(out_, frame_begin_, kVersion, body_size);
}

void encode(const Command& command, std::string& out) {
  const std::size_t begin = out.size();
  begin_frame(out, command.code);
  bool first = true;
  for (const auto& [key, value] : command.ext) {
    if (!first) out += ',';
    first = false;
    append_string(out, key);
    out += ':';
    append_string(out, value);
  }
  Piece piece;
  piece.put("},\"flag\":").put_number(command.flag);
  piece.put(",\"language\":\"").put(language_name(command.language));
  piece.put("\",\"opaque\":").put_number(command.opaque);
  out += piece.view();
  if (command.remark) {
    out += ",\"remark\":";
    append_string(out, cut(*command.remark, kRemarkBytesMax));
  }
  end_frame(out, begin, command.version, command.body.size());
  out += command.body;
}

}  // namespace gantry::protocol
