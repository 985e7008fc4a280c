// SPDX-License-Identifier: Apache-2.0
#include "protocol/message_id.h"

#include <fmt/core.h>

#include <chrono>

#include "base/bytes.h"

namespace gantry::protocol {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

void append_hex(std::string& out, const void* data, std::size_t size) {
  const auto* p = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) {
    out.push_back(kHex[p[i] >> 4]);
    out.push_back(kHex[p[i] & 15]);
  }
}

void put_hex(char* out, std::uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = kHex[value & 15];
    value >>= 4;
  }
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

void append_message_id(std::string& out, const RecordHost& host, LogPosition position) {
  append_hex(out, host.ip.data(), host.v6 ? 16 : 4);
  const std::size_t at = out.size();
  out.resize(at + 24);
  put_hex(out.data() + at, static_cast<std::uint32_t>(host.port), 8);
  put_hex(out.data() + at + 8, static_cast<std::uint64_t>(position.v), 16);
}

std::string message_id(const RecordHost& host, LogPosition position) {
  std::string out;
  append_message_id(out, host, position);
  return out;
}

Result<DecodedMessageId> decode_message_id(std::string_view id) {
  if (id.size() != 32 && id.size() != 56) {
    return make_error(
        ErrorCode::kInvalidArgument,
        fmt::format("message id '{}' has {} characters, not 32 or 56", id, id.size()));
  }
  unsigned char raw[28];
  for (std::size_t i = 0; i < id.size() / 2; ++i) {
    const int high = hex_value(id[2 * i]);
    const int low = hex_value(id[2 * i + 1]);
    if (high < 0 || low < 0) {
      return make_error(ErrorCode::kInvalidArgument, fmt::format("message id '{}' is not hex", id));
    }
    raw[i] = static_cast<unsigned char>(high * 16 + low);
  }
  DecodedMessageId decoded;
  decoded.host.v6 = id.size() == 56;
  const std::size_t ip_bytes = decoded.host.v6 ? 16 : 4;
  std::memcpy(decoded.host.ip.data(), raw, ip_bytes);
  decoded.host.port = load_be<std::int32_t>(raw + ip_bytes);
  decoded.position = LogPosition(load_be<std::int64_t>(raw + ip_bytes + 4));
  return decoded;
}

UniqueIdGenerator::UniqueIdGenerator(const RecordHost& host, std::uint32_t pid,
                                     std::uint32_t random) {
  append_hex(text_, host.ip.data(), host.v6 ? 16 : 4);
  const std::size_t at = text_.size();
  time_at_ = at + 12;
  text_.resize(at + 24);
  put_hex(text_.data() + at, pid & 0xFFFFU, 4);
  put_hex(text_.data() + at + 4, random, 8);
}

void UniqueIdGenerator::start_month(std::int64_t now_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> now{milliseconds(now_ms)};
  const year_month_day day{floor<days>(now)};
  const year_month month = day.year() / day.month();
  const auto ms = [](sys_days d) {
    return duration_cast<milliseconds>(d.time_since_epoch()).count();
  };
  month_start_ms_ = ms(sys_days(month / 1));
  month_end_ms_ = ms(sys_days((month + months(1)) / 1));
}

std::string_view UniqueIdGenerator::next(std::int64_t now_ms) {
  if (now_ms != last_ms_) {
    if (now_ms < month_start_ms_ || now_ms >= month_end_ms_) start_month(now_ms);
    last_ms_ = now_ms;
    put_hex(text_.data() + time_at_, static_cast<std::uint64_t>(now_ms - month_start_ms_), 8);
  }
  put_hex(text_.data() + time_at_ + 8, counter_++, 4);
  return text_;
}

}  // namespace gantry::protocol
