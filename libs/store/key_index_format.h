// SPDX-License-Identifier: Apache-2.0
// The bytes of a run file (docs/formats/key-index.md): header, blocks of fixed-width entries sorted
// by (hash, position), and the fence (first hash of each block). Little-endian. Pure: no I/O.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/key_index_entry.h"

namespace gantry::store {

inline constexpr std::size_t kRunBlockBytes = 4096;
inline constexpr std::size_t kRunHeaderBytes = kRunBlockBytes;  // keeps the blocks on pages
inline constexpr std::size_t kRunBlockHeaderBytes = 8;          // crc32, entry count

// How wide an entry is: the hash, then position and time as differences to the header's.
struct RunLayout {
  std::size_t position_bytes = 8;
  std::size_t time_bytes = 8;

  // The narrowest layout for entries of these ranges.
  static RunLayout for_ranges(LogRange positions, std::int64_t oldest_ms, std::int64_t newest_ms);
  std::size_t entry_bytes() const { return sizeof(std::uint32_t) + position_bytes + time_bytes; }
  std::size_t entries_per_block() const {
    return (kRunBlockBytes - kRunBlockHeaderBytes) / entry_bytes();
  }
  bool operator==(const RunLayout&) const = default;
};

struct RunHeader {
  std::uint32_t level = 0;
  LogRange range;  // the records this run stands for
  std::uint64_t entry_count = 0;
  std::int64_t oldest_ms = 0;  // store times of the entries; base of the stored differences
  std::int64_t newest_ms = 0;
  LogPosition last_position;  // of the entry with the highest position
  std::int64_t last_ms = 0;
  RunLayout layout;
  std::uint32_t fence_crc = 0;

  std::uint64_t block_count() const;
  std::int64_t fence_at() const;
  std::int64_t file_bytes() const;
  bool operator==(const RunHeader&) const = default;
};

std::string encode_run_header(const RunHeader& header);  // kRunHeaderBytes
// Every field is checked against the others; the file must be `file_bytes` long. kCorrupt.
Result<RunHeader> decode_run_header(std::string_view bytes, std::int64_t file_bytes);

// `<20 digits: range.begin>-<level>.run`
std::string run_file_name(LogPosition begin, std::uint32_t level);
struct RunFileName {
  LogPosition begin;
  std::uint32_t level = 0;
};
std::optional<RunFileName> parse_run_file_name(std::string_view name);

// Fills in the block's header; `block` is kRunBlockBytes, `count` entries and then zeros.
void seal_run_block(char* block, std::uint64_t number, std::uint32_t count);
// The entries of a block that was read, after its checksum (which covers its number) and its count
// were checked. kCorrupt.
class RunBlock {
 public:
  static Result<RunBlock> decode(std::string_view block, std::uint64_t number,
                                 const RunHeader& header);
  std::size_t size() const { return size_; }
  std::uint32_t hash_at(std::size_t i) const;
  KeyEntry at(std::size_t i) const;

 private:
  const char* entries_ = nullptr;
  std::size_t size_ = 0;
  std::size_t entry_bytes_ = 0;
  std::size_t time_at_ = 0;
  std::uint64_t position_mask_ = 0;
  std::uint64_t time_mask_ = 0;
  std::int64_t position_base_ = 0;
  std::int64_t time_base_ = 0;
};

namespace internal {

inline std::uint64_t load_le64(const char* p) {
  std::uint64_t x;
  std::memcpy(&x, p, sizeof x);
  return x;
}
inline void store_le64(char* p, std::uint64_t x) { std::memcpy(p, &x, sizeof x); }

}  // namespace internal

// Bytes that may be touched behind an entry: fields are read and written eight bytes wide.
inline constexpr std::size_t kRunEntrySlack = 8;

inline std::uint32_t RunBlock::hash_at(std::size_t i) const {
  std::uint32_t hash;
  std::memcpy(&hash, entries_ + i * entry_bytes_, sizeof hash);
  return hash;
}

inline KeyEntry RunBlock::at(std::size_t i) const {
  const char* p = entries_ + i * entry_bytes_;
  const std::uint64_t position = internal::load_le64(p + sizeof(std::uint32_t)) & position_mask_;
  const std::uint64_t time = internal::load_le64(p + time_at_) & time_mask_;
  return {
      hash_at(i),
      LogPosition(static_cast<std::int64_t>(static_cast<std::uint64_t>(position_base_) + position)),
      static_cast<std::int64_t>(static_cast<std::uint64_t>(time_base_) + time)};
}

}  // namespace gantry::store
