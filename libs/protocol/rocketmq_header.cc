// SPDX-License-Identifier: Apache-2.0
#include "protocol/rocketmq_header.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/bytes.h"

namespace gantry::protocol {
namespace {

constexpr std::size_t kFixedBytes = 21;  // code 2, language 1, version 2, opaque 4, flag 4, 4 + 4

class Reader {
 public:
  Reader(std::string_view bytes, std::size_t offset) : bytes_(bytes), offset_(offset) {}

  std::size_t left() const { return bytes_.size() - at_; }

  template <class T>
  T take() {
    const T value = load_be<T>(bytes_.data() + at_);
    at_ += sizeof(T);
    return value;
  }

  std::string_view take_text(std::size_t size) {
    const std::string_view text = bytes_.substr(at_, size);
    at_ += size;
    return text;
  }

  std::unexpected<Error> error(std::string_view what) const {
    return make_error(ErrorCode::kCorrupt, "binary header: " + std::string(what) + " at byte " +
                                               std::to_string(offset_ + at_));
  }

 private:
  std::string_view bytes_;
  std::size_t offset_;
  std::size_t at_ = 0;
};

// A length field must leave the bytes it counts.
bool fits(std::int64_t size, std::size_t left) {
  return size >= 0 && static_cast<std::uint64_t>(size) <= left;
}

Result<void> decode_ext(Reader& in, ExtFields& ext) {
  ext.set_present();
  while (in.left() > 0) {
    if (in.left() < 2) return in.error("ext key length cut off");
    const auto key_size = in.take<std::int16_t>();
    if (!fits(key_size, in.left())) return in.error("ext key longer than the ext block");
    const std::string_view key = in.take_text(static_cast<std::size_t>(key_size));
    if (in.left() < 4) return in.error("ext value length cut off");
    const auto value_size = in.take<std::int32_t>();
    if (!fits(value_size, in.left())) return in.error("ext value longer than the ext block");
    if (ext.all().size() >= kExtFieldsMax) return in.error("too many ext fields");
    ext.add(key, in.take_text(static_cast<std::size_t>(value_size)));
  }
  return {};
}

}  // namespace

Result<void> decode_rocketmq_header(std::string_view header, std::size_t offset, CommandView& out) {
  Reader in(header, offset);
  if (header.size() < kFixedBytes) return in.error("shorter than its fixed part of 21 bytes");
  out.code = in.take<std::int16_t>();
  out.language = language_from_code(in.take<std::int8_t>());
  out.version = in.take<std::int16_t>();
  out.opaque = in.take<std::int32_t>();
  out.flag = in.take<std::int32_t>();
  const auto remark_size = in.take<std::int32_t>();
  if (!fits(std::int64_t{remark_size} + 4, in.left())) return in.error("remark longer than header");
  if (remark_size < 0) return in.error("negative remark length");
  if (remark_size > 0) out.remark = in.take_text(static_cast<std::size_t>(remark_size));
  const auto ext_size = in.take<std::int32_t>();
  if (ext_size < 0 || static_cast<std::size_t>(ext_size) != in.left()) {
    return in.error("ext block does not fill the header");
  }
  if (ext_size == 0) return {};
  return decode_ext(in, out.ext);
}

void encode_rocketmq(const Command& command, std::string& out) {
  constexpr auto kKeyBytesMax = static_cast<std::size_t>(std::numeric_limits<std::int16_t>::max());
  const auto put = [&out]<class T>(T value) {
    char bytes[sizeof(T)];
    store_be(bytes, value);
    out.append(bytes, sizeof(T));
  };
  std::size_t ext_size = 0;
  for (const auto& [key, value] : command.ext) {
    if (key.size() <= kKeyBytesMax) ext_size += 2 + key.size() + 4 + value.size();
  }
  const std::string_view remark =
      std::string_view(command.remark ? std::string_view(*command.remark) : std::string_view())
          .substr(0, kRemarkBytesMax);
  const std::size_t header_size = kFixedBytes + remark.size() + ext_size;
  put(static_cast<std::uint32_t>(4 + header_size + command.body.size()));
  put((std::uint32_t{static_cast<std::uint8_t>(SerializeType::kRocketmq)} << 24U) |
      (static_cast<std::uint32_t>(header_size) & 0xFFFFFFU));
  put(static_cast<std::int16_t>(command.code));
  put(static_cast<std::uint8_t>(command.language));
  put(static_cast<std::int16_t>(command.version));
  put(command.opaque);
  put(command.flag);
  put(static_cast<std::uint32_t>(remark.size()));
  out += remark;
  put(static_cast<std::uint32_t>(ext_size));
  for (const auto& [key, value] : command.ext) {
    if (key.size() > kKeyBytesMax) continue;
    put(static_cast<std::uint16_t>(key.size()));
    out += key;
    put(static_cast<std::uint32_t>(value.size()));
    out += value;
  }
  out += command.body;
}

}  // namespace gantry::protocol
