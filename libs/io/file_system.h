// SPDX-License-Identifier: Apache-2.0
// Files behind an interface, so that tests and the simulator can lose, tear and refuse writes. The
// only place of the data path with system calls on files. Implementations are thread-safe as far as
// the kernel is: different calls on one File may come from different threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gantry::io {

struct Slice {
  const void* data = nullptr;
  std::size_t size = 0;
};

class File {
 public:
  virtual ~File() = default;
  virtual const std::string& path() const = 0;
  virtual Result<std::int64_t> size() = 0;

  // Writes all bytes, in order, from `offset` on. After an error any part may have been written.
  virtual Result<void> write_at(std::int64_t offset, std::span<const Slice> slices) = 0;
  // Fewer bytes than asked for only at the end of the file.
  virtual Result<std::size_t> read_at(std::int64_t offset, std::span<char> out) = 0;
  // As read_at, but nullopt instead of waiting for the disk.
  virtual Result<std::optional<std::size_t>> try_read_at(std::int64_t offset,
                                                         std::span<char> out) = 0;
  // fdatasync. Of concurrent calls on one File only one hears of a failure: see reopen().
  virtual Result<void> sync() = 0;
  // The same file, wherever it was moved, through a handle that hears of failures by itself.
  virtual Result<std::unique_ptr<File>> reopen() = 0;
  // Makes the file `size` bytes long, its blocks reserved and reading as zeros. kDiskFull on
  // ENOSPC.
  virtual Result<void> allocate(std::int64_t size) = 0;
  // Sets the size without reserving blocks.
  virtual Result<void> truncate(std::int64_t size) = 0;
  // Overwrites [offset, offset+size) with zeros; blocks stay reserved.
  virtual Result<void> zero(std::int64_t offset, std::int64_t size) = 0;

  Result<void> write_at(std::int64_t offset, std::string_view bytes) {
    const Slice slice{bytes.data(), bytes.size()};
    return write_at(offset, std::span<const Slice>(&slice, 1));
  }
};

enum class OpenMode : std::uint8_t { kRead, kReadWrite, kCreate };  // kCreate: new or existing

struct DirectoryEntry {
  std::string name;
  std::int64_t size = 0;
  bool is_directory = false;
};

// Blocks that are reserved for others count as neither, as in RocketMQ and in df's percentage.
struct DiskSpace {
  std::int64_t total_bytes = 0;      // used and available
  std::int64_t available_bytes = 0;  // to this process
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;  // by name
  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Result<void> create_directories(const std::string& path) = 0;
  virtual Result<void> remove(const std::string& path) = 0;  // a file
  virtual Result<void> remove_recursively(const std::string& path) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> sync_directory(const std::string& path) = 0;
  virtual Result<DiskSpace> space(const std::string& path) = 0;
  // Keeps other processes out of a store directory until what is returned is gone; kConflict names
  // the directory when one is in. Systems in memory have no other processes.
  virtual Result<std::shared_ptr<void>> lock_directory(const std::string& /*directory*/) {
    return std::shared_ptr<void>();
  }
  // Names the life of the cache that writes go through: while it stays the same, what was written
  // is there, synced or not. Empty: unknown.
  virtual std::string boot_id() { return {}; }
};

FileSystem& posix_file_system();

// kNotFound if there is no such file; kCorrupt if it is larger than `bytes_max`.
Result<std::string> read_file(FileSystem& fs, const std::string& path,
                              std::size_t bytes_max = 1U << 30);
// Suffix of the temporary file that write_file_atomically() leaves behind after a crash.
inline constexpr std::string_view kTemporarySuffix = ".tmp";
// Temporary file, fdatasync, rename, directory sync: the old or the new content, never a mixture.
Result<void> write_file_atomically(FileSystem& fs, const std::string& path, std::string_view bytes);

// As create_directories, and what it made survives a power cut.
Result<void> create_directories_durably(FileSystem& fs, const std::string& path);

std::string parent_directory(const std::string& path);

}  // namespace gantry::io
