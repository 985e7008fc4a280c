// SPDX-License-Identifier: Apache-2.0
#include "store/key_index_format.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <charconv>

#include "base/crc32.h"

namespace gantry::store {
namespace {

constexpr std::string_view kMagic = "GKEYRUN\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kSuffix = ".run";
constexpr std::size_t kNameDigits = 20;

// Byte positions of the header's fields.
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kLevelAt = 12;
constexpr std::size_t kBeginAt = 16;
constexpr std::size_t kEndAt = 24;
constexpr std::size_t kCountAt = 32;
constexpr std::size_t kOldestAt = 40;
constexpr std::size_t kNewestAt = 48;
constexpr std::size_t kLastPositionAt = 56;
constexpr std::size_t kLastTimeAt = 64;
constexpr std::size_t kBlockBytesAt = 72;
constexpr std::size_t kPositionBytesAt = 76;
constexpr std::size_t kTimeBytesAt = 78;
constexpr std::size_t kFenceCrcAt = 80;
constexpr std::size_t kHeaderCrcAt = 84;  // of everything before
constexpr std::size_t kHeaderUsed = 88;

template <class T>
void put_le(std::string& bytes, std::size_t at, T x) {
  std::memcpy(bytes.data() + at, &x, sizeof x);
}

template <class T>
T get_le(std::string_view bytes, std::size_t at) {
  T x;
  std::memcpy(&x, bytes.data() + at, sizeof x);
  return x;
}

std::size_t bytes_for(std::uint64_t x) {
  return (static_cast<std::size_t>(std::bit_width(x)) + 7) / 8;
}

std::uint64_t mask_for(std::size_t bytes) {
  return bytes == 0 ? 0 : ~std::uint64_t{0} >> (64 - 8 * bytes);
}

std::uint64_t distance(std::int64_t from, std::int64_t to) {
  return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

std::unexpected<Error> corrupt(std::string message) {
  return make_error(ErrorCode::kCorrupt, std::move(message));
}

// What the fields must fulfil among themselves, whatever the checksum says.
Result<void> check_header(const RunHeader& h, std::int64_t file_bytes) {
  if (h.range.begin.v < 0 || h.range.end <= h.range.begin) {
    return corrupt(fmt::format("range [{}, {})", h.range.begin.v, h.range.end.v));
  }
  if (h.oldest_ms > h.newest_ms) {
    return corrupt(fmt::format("times {} to {}", h.oldest_ms, h.newest_ms));
  }
  if (h.layout.position_bytes > 8 || h.layout.time_bytes > 8) {
    return corrupt(fmt::format("entry fields of {} and {} bytes", h.layout.position_bytes,
                               h.layout.time_bytes));
  }
  // Bounds the product below; a file cannot hold more entries than bytes.
  if (file_bytes < 0 || h.entry_count > static_cast<std::uint64_t>(file_bytes) ||
      h.file_bytes() != file_bytes) {
    return corrupt(
        fmt::format("{} entries do not make a file of {} bytes", h.entry_count, file_bytes));
  }
  const bool inside = h.last_position >= h.range.begin && h.last_position < h.range.end &&
                      h.last_ms >= h.oldest_ms && h.last_ms <= h.newest_ms;
  if (h.entry_count > 0 && !inside) {
    return corrupt(fmt::format("last entry at {}, time {}", h.last_position.v, h.last_ms));
  }
  return {};
}

}  // namespace

RunLayout RunLayout::for_ranges(LogRange positions, std::int64_t oldest_ms,
                                std::int64_t newest_ms) {
  return {bytes_for(distance(positions.begin.v, positions.end.v)),
          bytes_for(distance(oldest_ms, newest_ms))};
}

std::uint64_t RunHeader::block_count() const {
  const std::uint64_t per_block = layout.entries_per_block();
  return (entry_count + per_block - 1) / per_block;
}

std::int64_t RunHeader::fence_at() const {
  return static_cast<std::int64_t>(kRunHeaderBytes + block_count() * kRunBlockBytes);
}

std::int64_t RunHeader::file_bytes() const {
  return fence_at() + static_cast<std::int64_t>(block_count() * sizeof(std::uint32_t));
}

std::string encode_run_header(const RunHeader& h) {
  std::string bytes(kRunHeaderBytes, '\0');
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  put_le(bytes, kVersionAt, kVersion);
  put_le(bytes, kLevelAt, h.level);
  put_le(bytes, kBeginAt, h.range.begin.v);
  put_le(bytes, kEndAt, h.range.end.v);
  put_le(bytes, kCountAt, h.entry_count);
  put_le(bytes, kOldestAt, h.oldest_ms);
  put_le(bytes, kNewestAt, h.newest_ms);
  put_le(bytes, kLastPositionAt, h.last_position.v);
  put_le(bytes, kLastTimeAt, h.last_ms);
  put_le(bytes, kBlockBytesAt, static_cast<std::uint32_t>(kRunBlockBytes));
  put_le(bytes, kPositionBytesAt, static_cast<std::uint16_t>(h.layout.position_bytes));
  put_le(bytes, kTimeBytesAt, static_cast<std::uint16_t>(h.layout.time_bytes));
  put_le(bytes, kFenceCrcAt, h.fence_crc);
  put_le(bytes, kHeaderCrcAt, crc32(std::string_view(bytes).substr(0, kHeaderCrcAt)));
  return bytes;
}

Result<RunHeader> decode_run_header(std::string_view bytes, std::int64_t file_bytes) {
  if (bytes.size() < kHeaderUsed || !bytes.starts_with(kMagic)) {
    return corrupt("does not begin like a key index run");
  }
  if (get_le<std::uint32_t>(bytes, kHeaderCrcAt) != crc32(bytes.substr(0, kHeaderCrcAt))) {
    return corrupt("the header's checksum does not fit");
  }
  const auto version = get_le<std::uint32_t>(bytes, kVersionAt);
  const auto block_bytes = get_le<std::uint32_t>(bytes, kBlockBytesAt);
  if (version != kVersion || block_bytes != kRunBlockBytes) {
    return corrupt(fmt::format("version {} with blocks of {} bytes; known is {} with {}", version,
                               block_bytes, kVersion, kRunBlockBytes));
  }
  RunHeader h;
  h.level = get_le<std::uint32_t>(bytes, kLevelAt);
  h.range.begin = LogPosition(get_le<std::int64_t>(bytes, kBeginAt));
  h.range.end = LogPosition(get_le<std::int64_t>(bytes, kEndAt));
  h.entry_count = get_le<std::uint64_t>(bytes, kCountAt);
  h.oldest_ms = get_le<std::int64_t>(bytes, kOldestAt);
  h.newest_ms = get_le<std::int64_t>(bytes, kNewestAt);
  h.last_position = LogPosition(get_le<std::int64_t>(bytes, kLastPositionAt));
  h.last_ms = get_le<std::int64_t>(bytes, kLastTimeAt);
  h.layout.position_bytes = get_le<std::uint16_t>(bytes, kPositionBytesAt);
  h.layout.time_bytes = get_le<std::uint16_t>(bytes, kTimeBytesAt);
  h.fence_crc = get_le<std::uint32_t>(bytes, kFenceCrcAt);
  GANTRY_TRY(check_header(h, file_bytes));
  return h;
}

std::string run_file_name(LogPosition begin, std::uint32_t level) {
  return fmt::format("{:020d}-{}{}", begin.v, level, kSuffix);
}

std::optional<RunFileName> parse_run_file_name(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  if (name.size() < kNameDigits + 2 || name[kNameDigits] != '-') return std::nullopt;
  RunFileName parsed;
  const char* dash = name.data() + kNameDigits;
  const char* end = name.data() + name.size();
  const auto begin = std::from_chars(name.data(), dash, parsed.begin.v);
  const auto level = std::from_chars(dash + 1, end, parsed.level);
  if (begin.ec != std::errc{} || begin.ptr != dash || parsed.begin.v < 0) return std::nullopt;
  if (level.ec != std::errc{} || level.ptr != end) return std::nullopt;
  return parsed;
}

void seal_run_block(char* block, std::uint64_t number, std::uint32_t count) {
  std::memcpy(block + sizeof(std::uint32_t), &count, sizeof count);
  const std::string_view covered(block + sizeof(std::uint32_t),
                                 kRunBlockBytes - sizeof(std::uint32_t));
  const std::uint32_t crc = crc32(covered, static_cast<std::uint32_t>(number));
  std::memcpy(block, &crc, sizeof crc);
}

Result<RunBlock> RunBlock::decode(std::string_view block, std::uint64_t number,
                                  const RunHeader& header) {
  if (block.size() != kRunBlockBytes) {
    return corrupt(fmt::format("block {} has {} bytes", number, block.size()));
  }
  const auto crc = get_le<std::uint32_t>(block, 0);
  if (crc != crc32(block.substr(sizeof crc), static_cast<std::uint32_t>(number))) {
    return corrupt(fmt::format("the checksum of block {} does not fit", number));
  }
  const std::uint64_t per_block = header.layout.entries_per_block();
  const std::uint64_t expected = std::min(per_block, header.entry_count - number * per_block);
  const auto count = get_le<std::uint32_t>(block, sizeof crc);
  if (number >= header.block_count() || count != expected) {
    return corrupt(fmt::format("block {} has {} entries", number, count));
  }
  RunBlock b;
  b.entries_ = block.data() + kRunBlockHeaderBytes;
  b.size_ = count;
  b.entry_bytes_ = header.layout.entry_bytes();
  b.time_at_ = sizeof(std::uint32_t) + header.layout.position_bytes;
  b.position_mask_ = mask_for(header.layout.position_bytes);
  b.time_mask_ = mask_for(header.layout.time_bytes);
  b.position_base_ = header.range.begin.v;
  b.time_base_ = header.oldest_ms;
  return b;
}

}  // namespace gantry::store
