// SPDX-License-Identifier: Apache-2.0
// One run file of the key index: an immutable, sorted part of the index for a range of the log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "store/key_index_buffer.h"
#include "store/key_index_entry.h"
#include "store/key_index_format.h"

namespace gantry::store {

// An open run. Immutable; usable from every thread. Holds its header and its fence (4 bytes per
// 4 KiB of file) in memory. Stays readable after the file was removed from its directory.
class RunFile {
 public:
  // kCorrupt if header or fence are damaged or the file has another size than its header says; the
  // blocks are checked when they are read. kIo if the file cannot be read.
  static Result<std::shared_ptr<const RunFile>> open(io::FileSystem& fs, const std::string& path);

  const std::string& path() const { return path_; }
  const RunHeader& header() const { return header_; }
  LogRange range() const { return header_.range; }
  bool holds_time(const KeySearch& search) const {
    return header_.entry_count > 0 && search.wants(header_.oldest_ms, header_.newest_ms);
  }

  // Offers the matches, newest first: usually one block read. After an error some may be missing.
  Result<void> search(KeySearch& search) const;
  // Reads the whole blocks [first, first + count) into `out`.
  Result<void> read_blocks(std::uint64_t first, std::uint64_t count, char* out) const;

 private:
  RunFile(std::unique_ptr<io::File> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}
  Result<void> load();

  const std::unique_ptr<io::File> file_;
  const std::string path_;
  RunHeader header_;
  std::vector<std::uint32_t> fence_;
};

using RunPtr = std::shared_ptr<const RunFile>;

// Writes a run: entries in the order of (hash, position) through add(), then finish(). Until then
// the file has a temporary name; an unfinished writer removes it. Worker thread only.
class RunWriter {
 public:
  struct Spec {
    std::uint32_t level = 0;
    LogRange range;
    // Bounds of the store times of the entries to come.
    std::int64_t oldest_ms = 0;
    std::int64_t newest_ms = 0;
  };
  static Result<std::unique_ptr<RunWriter>> create(io::FileSystem& fs, const std::string& directory,
                                                   const Spec& spec);
  ~RunWriter();
  RunWriter(const RunWriter&) = delete;
  RunWriter& operator=(const RunWriter&) = delete;

  void add(const KeyEntry& e) {
    if (in_block_ == per_block_) close_block();
    if (in_block_ == 0) fence_.push_back(e.hash);
    std::memcpy(at_, &e.hash, sizeof e.hash);
    internal::store_le64(at_ + sizeof e.hash, bits(e.position.v) - bits(header_.range.begin.v));
    internal::store_le64(at_ + time_at_, bits(e.store_time_ms) - bits(header_.oldest_ms));
    at_ += entry_bytes_;
    ++in_block_;
    if (e.position > header_.last_position) {
      header_.last_position = e.position;
      header_.last_ms = e.store_time_ms;
    }
  }
  // The first error of a write so far; checking it now and then ends hopeless work early.
  const Result<void>& status() const { return status_; }
  // Completes the file: fdatasync, rename, directory sync; and opens it.
  Result<RunPtr> finish();
  std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  static constexpr LogPosition kNoPosition{-1};
  static std::uint64_t bits(std::int64_t x) { return static_cast<std::uint64_t>(x); }
  RunWriter(io::FileSystem& fs, std::string directory, const Spec& spec);
  void close_block();
  void write_out();
  void write(std::int64_t offset, std::string_view bytes);
  Result<RunPtr> publish();

  io::FileSystem& fs_;
  const std::string directory_;
  const std::string path_;
  std::unique_ptr<io::File> file_;
  Result<void> status_;
  RunHeader header_;
  std::vector<std::uint32_t> fence_;
  std::vector<char> buffer_;  // whole blocks and a slack
  std::size_t block_at_ = 0;  // in buffer_
  char* at_ = nullptr;        // where the next entry goes
  std::uint64_t in_block_ = 0;
  const std::uint64_t per_block_;
  const std::size_t entry_bytes_;
  const std::size_t time_at_;
  std::uint64_t blocks_written_ = 0;
  std::uint64_t bytes_written_ = 0;
  bool finished_ = false;
};

// Reads a run in order. Worker thread only.
class RunCursor {
 public:
  explicit RunCursor(RunPtr run);
  // Makes the next entry current; false at the end or after an error.
  bool next() {
    if (index_ + 1 < block_.size()) [[likely]] {
      ++index_;
    } else if (!next_block()) {
      return false;
    }
    entry_ = block_.at(index_);
    return true;
  }
  const KeyEntry& entry() const { return entry_; }
  const Result<void>& status() const { return status_; }
  const RunPtr& run() const { return run_; }

 private:
  bool next_block();

  RunPtr run_;
  std::vector<char> buffer_;
  std::uint64_t first_in_buffer_ = 0;
  std::uint64_t in_buffer_ = 0;
  std::uint64_t next_block_ = 0;
  RunBlock block_;
  std::size_t index_ = 0;
  KeyEntry entry_;
  Result<void> status_;
};

// Sorts a sealed buffer and writes it as a run of level 0. `order` and `scratch`: see sort_by_hash.
Result<RunPtr> write_buffer(io::FileSystem& fs, const std::string& directory,
                            const SealedBuffer& sealed, std::vector<std::uint64_t>& order,
                            std::vector<std::uint64_t>& scratch, std::uint64_t& bytes_written);

}  // namespace gantry::store
