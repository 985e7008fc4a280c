// SPDX-License-Identifier: Apache-2.0
// The stored message record: the unit of the CommitLog and the body of pull answers.
// Layout: docs/formats/commit-log.md (RocketMQ's, versions V1 and V2). Pure: no I/O.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/types.h"

namespace gantry::protocol {

inline constexpr std::uint32_t kRecordMagicV1 = 0xDAA320A7U;
inline constexpr std::uint32_t kRecordMagicV2 = 0xDAA320ABU;
inline constexpr std::uint32_t kBlankMagic = 0xCBD43194U;  // fills a file to its end
inline constexpr std::size_t kBlankHeaderBytes = 8;
inline constexpr std::size_t kRecordBytesMin = 91;  // V1, IPv4, all variable parts empty
inline constexpr std::size_t kTopicBytesMaxV1 = 127;
inline constexpr std::size_t kPropertiesBytesMax = 32767;

// Byte positions of the parts that do not move.
inline constexpr std::size_t kQueueOffsetAt = 20;
inline constexpr std::size_t kPhysicalOffsetAt = 28;
inline constexpr std::size_t kSysFlagAt = 36;

namespace sys_flag {
inline constexpr std::int32_t kCompressed = 0x1;
inline constexpr std::int32_t kMultiTags = 0x2;
inline constexpr std::int32_t kTransactionMask = 0xC;
inline constexpr std::int32_t kTransactionPrepared = 0x4;
inline constexpr std::int32_t kTransactionCommit = 0x8;
inline constexpr std::int32_t kTransactionRollback = 0xC;
inline constexpr std::int32_t kBornHostV6 = 0x10;
inline constexpr std::int32_t kStoreHostV6 = 0x20;
inline constexpr std::int32_t kCompressionTypeMask = 0x700;
// What a client may set; everything else is the broker's.
inline constexpr std::int32_t kClientMask =
    kCompressed | kMultiTags | kTransactionMask | kCompressionTypeMask;
}  // namespace sys_flag

// The record checksum property: always last, always this long: `__CRC32#` 0x01, ten decimal digits
// least significant first, 0x02. It covers every byte of the record before itself.
inline constexpr std::string_view kCrcPropertyName = "__CRC32#";
inline constexpr std::size_t kCrcPropertyBytes = 20;

// An address inside a record. IPv4: 4 significant bytes.
struct RecordHost {
  std::array<std::uint8_t, 16> ip{};
  bool v6 = false;
  std::int32_t port = 0;
  std::size_t encoded_bytes() const { return v6 ? 20 : 8; }
  std::string text() const;
  static Result<RecordHost> parse(std::string_view ip, std::int32_t port);
  bool operator==(const RecordHost&) const = default;
};

// Views into the record's bytes.
struct RecordView {
  std::uint32_t total_size = 0;
  std::uint32_t magic = 0;
  std::uint32_t body_crc = 0;
  std::int32_t queue_id = 0;
  std::int32_t flag = 0;
  QueueOffset queue_offset;
  LogPosition position;
  std::int32_t sys_flag = 0;
  std::int64_t born_timestamp_ms = 0;
  RecordHost born_host;
  std::int64_t store_timestamp_ms = 0;
  RecordHost store_host;
  std::int32_t reconsume_times = 0;
  std::int64_t prepared_transaction_offset = 0;
  std::string_view body;
  std::string_view topic;
  std::string_view properties;  // with the checksum property, if there is one
  std::string_view bytes;       // the whole record

  std::int32_t transaction_type() const { return sys_flag & sys_flag::kTransactionMask; }
};

// Decodes the record at the front of `bytes` (which may hold more). Checks every length against the
// bytes and the record's own total; checks no checksum. kCorrupt says what does not fit.
Result<RecordView> decode_record(std::string_view bytes);

enum class ChecksumPolicy : std::uint8_t {
  kBodyCrc,         // a record of Apache RocketMQ: the body's CRC counts
  kRecordChecksum,  // a record of Gantry: the checksum property must be there and be last
};
Result<void> verify_checksum(const RecordView& record, ChecksumPolicy policy);

// What a new record is made of. `properties` without the checksum property, ending with 0x02 if not
// empty.
struct RecordFields {
  std::int32_t queue_id = 0;
  std::int32_t flag = 0;
  QueueOffset queue_offset;
  LogPosition position;
  std::int32_t sys_flag = 0;  // host bits are set from the hosts
  std::int64_t born_timestamp_ms = 0;
  RecordHost born_host;
  std::int64_t store_timestamp_ms = 0;
  RecordHost store_host;
  std::int32_t reconsume_times = 0;
  std::int64_t prepared_transaction_offset = 0;
  std::string_view body;
  std::string_view topic;
  std::string_view properties;
};

// Bytes of the encoded record, checksum property included.
std::size_t encoded_size(const RecordFields& fields);
// Writes exactly encoded_size(fields) bytes to `out`, checksums included. The topic decides between
// V1 and V2.
void encode_record(const RecordFields& fields, char* out);

// The RecordFields that encode to the same record as `record` (checksum property removed).
RecordFields fields_of(const RecordView& record);

}  // namespace gantry::protocol
