// SPDX-License-Identifier: Apache-2.0
#include "protocol/record.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <cstring>

#include "base/bytes.h"
#include "base/crc32.h"

namespace gantry::protocol {
namespace {

constexpr std::size_t kFixedBeforeBornHost = 48;
constexpr std::uint32_t kCrcMask = 0x7FFFFFFFU;

std::unexpected<Error> corrupt(std::string what) {
  return make_error(ErrorCode::kCorrupt, std::move(what));
}

RecordHost load_host(const char* p, bool v6) {
  RecordHost host;
  host.v6 = v6;
  const std::size_t ip_bytes = v6 ? 16 : 4;
  std::memcpy(host.ip.data(), p, ip_bytes);
  host.port = load_be<std::int32_t>(p + ip_bytes);
  return host;
}

char* store_host(char* p, const RecordHost& host) {
  const std::size_t ip_bytes = host.v6 ? 16 : 4;
  std::memcpy(p, host.ip.data(), ip_bytes);
  store_be<std::int32_t>(p + ip_bytes, host.port);
  return p + ip_bytes + 4;
}

// An empty view may have no address.
char* put(char* p, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(p, bytes.data(), bytes.size());
  return p + bytes.size();
}

void store_crc_property(char* p, std::uint32_t crc) {
  std::memcpy(p, kCrcPropertyName.data(), kCrcPropertyName.size());
  p += kCrcPropertyName.size();
  *p++ = '\x01';
  for (int digit = 0; digit < 10; ++digit) {
    *p++ = static_cast<char>('0' + crc % 10);
    crc /= 10;
  }
  *p = '\x02';
}

}  // namespace

std::string RecordHost::text() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  inet_ntop(v6 ? AF_INET6 : AF_INET, ip.data(), buffer, sizeof buffer);
  return v6 ? fmt::format("[{}]:{}", buffer, port) : fmt::format("{}:{}", buffer, port);
}

Result<RecordHost> RecordHost::parse(std::string_view ip_text, std::int32_t port) {
  RecordHost host;
  host.port = port;
  const std::string text(ip_text);
  if (inet_pton(AF_INET, text.c_str(), host.ip.data()) == 1) return host;
  if (inet_pton(AF_INET6, text.c_str(), host.ip.data()) == 1) {
    static constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0,    0,
                                                             0, 0, 0, 0, 0xFF, 0xFF};
    if (std::memcmp(host.ip.data(), kMapped.data(), kMapped.size()) == 0) {
      std::array<std::uint8_t, 16> v4{};
      std::memcpy(v4.data(), host.ip.data() + 12, 4);
      host.ip = v4;
    } else {
      host.v6 = true;
    }
    return host;
  }
  return make_error(ErrorCode::kInvalidArgument,
                    fmt::format("'{}' is not an IPv4 or IPv6 address", text));
}

Result<RecordView> decode_record(std::string_view bytes) {
  if (bytes.size() < kRecordBytesMin) {
    return corrupt(fmt::format("{} bytes are fewer than the smallest record", bytes.size()));
  }
  const char* p = bytes.data();
  RecordView r;
  r.total_size = load_be<std::uint32_t>(p);
  r.magic = load_be<std::uint32_t>(p + 4);
  if (r.magic != kRecordMagicV1 && r.magic != kRecordMagicV2) {
    return corrupt(fmt::format("magic {:08X} is not a record's", r.magic));
  }
  if (r.total_size < kRecordBytesMin || r.total_size > bytes.size()) {
    return corrupt(fmt::format("record of {} bytes in {} bytes", r.total_size, bytes.size()));
  }
  r.body_crc = load_be<std::uint32_t>(p + 8);
  r.queue_id = load_be<std::int32_t>(p + 12);
  r.flag = load_be<std::int32_t>(p + 16);
  r.queue_offset = QueueOffset(load_be<std::int64_t>(p + kQueueOffsetAt));
  r.position = LogPosition(load_be<std::int64_t>(p + kPhysicalOffsetAt));
  r.sys_flag = load_be<std::int32_t>(p + kSysFlagAt);
  r.born_timestamp_ms = load_be<std::int64_t>(p + 40);

  const bool born_v6 = (r.sys_flag & sys_flag::kBornHostV6) != 0;
  const bool store_v6 = (r.sys_flag & sys_flag::kStoreHostV6) != 0;
  const bool v2 = r.magic == kRecordMagicV2;
  const std::size_t smallest =
      kRecordBytesMin + (born_v6 ? 12 : 0) + (store_v6 ? 12 : 0) + (v2 ? 1 : 0);
  if (r.total_size < smallest) return corrupt("record shorter than its fixed part");
  std::size_t left = r.total_size - smallest;

  p += kFixedBeforeBornHost;
  r.born_host = load_host(p, born_v6);
  p += r.born_host.encoded_bytes();
  r.store_timestamp_ms = load_be<std::int64_t>(p);
  p += 8;
  r.store_host = load_host(p, store_v6);
  p += r.store_host.encoded_bytes();
  r.reconsume_times = load_be<std::int32_t>(p);
  r.prepared_transaction_offset = load_be<std::int64_t>(p + 4);
  const auto body_size = load_be<std::uint32_t>(p + 12);
  p += 16;
  if (body_size > left) return corrupt(fmt::format("body of {} bytes does not fit", body_size));
  left -= body_size;
  r.body = {p, body_size};
  p += body_size;
  const std::size_t topic_size = v2 ? load_be<std::uint16_t>(p) : static_cast<std::uint8_t>(*p);
  p += v2 ? 2 : 1;
  if (topic_size > left) return corrupt(fmt::format("topic of {} bytes does not fit", topic_size));
  left -= topic_size;
  r.topic = {p, topic_size};
  p += topic_size;
  const auto properties_size = load_be<std::int16_t>(p);
  if (properties_size < 0 || static_cast<std::size_t>(properties_size) != left) {
    return corrupt(fmt::format("properties of {} bytes where {} are left", properties_size, left));
  }
  r.properties = {p + 2, left};
  r.bytes = bytes.substr(0, r.total_size);
  return r;
}

Result<void> verify_checksum(const RecordView& record, ChecksumPolicy policy) {
  if (policy == ChecksumPolicy::kBodyCrc) {
    const std::uint32_t crc = crc32_masked(record.body);
    if (crc != record.body_crc) {
      return corrupt(fmt::format("body checksum {:08X}, stored {:08X}", crc, record.body_crc));
    }
    return {};
  }
  if (record.properties.size() < kCrcPropertyBytes)
    return corrupt("record has no checksum property");
  const std::string_view covered = record.bytes.substr(0, record.bytes.size() - kCrcPropertyBytes);
  char expected[kCrcPropertyBytes];
  store_crc_property(expected, crc32(covered) & kCrcMask);
  if (record.bytes.substr(covered.size()) != std::string_view(expected, sizeof expected)) {
    return corrupt("record checksum does not match its bytes");
  }
  return {};
}

std::size_t encoded_size(const RecordFields& f) {
  return kRecordBytesMin + (f.born_host.v6 ? 12 : 0) + (f.store_host.v6 ? 12 : 0) +
         (f.topic.size() > kTopicBytesMaxV1 ? 1 : 0) + f.body.size() + f.topic.size() +
         f.properties.size() + kCrcPropertyBytes;
}

void encode_record(const RecordFields& f, char* out) {
  const bool v2 = f.topic.size() > kTopicBytesMaxV1;
  const std::size_t total = encoded_size(f);
  std::int32_t flags = f.sys_flag & ~(sys_flag::kBornHostV6 | sys_flag::kStoreHostV6);
  if (f.born_host.v6) flags |= sys_flag::kBornHostV6;
  if (f.store_host.v6) flags |= sys_flag::kStoreHostV6;

  char* p = out;
  store_be<std::uint32_t>(p, static_cast<std::uint32_t>(total));
  store_be<std::uint32_t>(p + 4, v2 ? kRecordMagicV2 : kRecordMagicV1);
  store_be<std::uint32_t>(p + 8, crc32_masked(f.body));
  store_be<std::int32_t>(p + 12, f.queue_id);
  store_be<std::int32_t>(p + 16, f.flag);
  store_be<std::int64_t>(p + kQueueOffsetAt, f.queue_offset.v);
  store_be<std::int64_t>(p + kPhysicalOffsetAt, f.position.v);
  store_be<std::int32_t>(p + kSysFlagAt, flags);
  store_be<std::int64_t>(p + 40, f.born_timestamp_ms);
  p = store_host(p + kFixedBeforeBornHost, f.born_host);
  store_be<std::int64_t>(p, f.store_timestamp_ms);
  p = store_host(p + 8, f.store_host);
  store_be<std::int32_t>(p, f.reconsume_times);
  store_be<std::int64_t>(p + 4, f.prepared_transaction_offset);
  store_be<std::uint32_t>(p + 12, static_cast<std::uint32_t>(f.body.size()));
  p += 16;
  p = put(p, f.body);
  if (v2) {
    store_be<std::uint16_t>(p, static_cast<std::uint16_t>(f.topic.size()));
    p += 2;
  } else {
    *p++ = static_cast<char>(f.topic.size());
  }
  p = put(p, f.topic);
  store_be<std::int16_t>(p, static_cast<std::int16_t>(f.properties.size() + kCrcPropertyBytes));
  p += 2;
  p = put(p, f.properties);
  const std::size_t covered = static_cast<std::size_t>(p - out);
  store_crc_property(p, crc32({out, covered}) & kCrcMask);
}

RecordFields fields_of(const RecordView& r) {
  RecordFields f;
  f.queue_id = r.queue_id;
  f.flag = r.flag;
  f.queue_offset = r.queue_offset;
  f.position = r.position;
  f.sys_flag = r.sys_flag;
  f.born_timestamp_ms = r.born_timestamp_ms;
  f.born_host = r.born_host;
  f.store_timestamp_ms = r.store_timestamp_ms;
  f.store_host = r.store_host;
  f.reconsume_times = r.reconsume_times;
  f.prepared_transaction_offset = r.prepared_transaction_offset;
  f.body = r.body;
  f.topic = r.topic;
  f.properties = r.properties;
  if (f.properties.size() >= kCrcPropertyBytes &&
      f.properties.substr(f.properties.size() - kCrcPropertyBytes).starts_with(kCrcPropertyName)) {
    f.properties.remove_suffix(kCrcPropertyBytes);
  }
  return f;
}

}  // namespace gantry::protocol
