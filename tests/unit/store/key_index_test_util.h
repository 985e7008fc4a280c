// SPDX-License-Identifier: Apache-2.0
// What the tests of the key index share: a directory, a disk that can be full, slow or broken, and
// a log with the owner's side of feeding.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "store/key_index.h"

namespace gantry::store::test {

// Seeded; 32 bits each.
class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine_()); }

 private:
  std::mt19937 engine_;
};

// A new directory that is removed at the end.
class TestDirectory {
 public:
  TestDirectory();
  ~TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::vector<std::string> names() const;                           // sorted
  std::vector<std::string> names(const std::string& suffix) const;  // with this suffix

 private:
  std::string path_;
};

std::string read_bytes(const std::string& path);
void flip_bit(const std::string& path, std::size_t at, unsigned bit);
void write_bytes(const std::string& path, const std::string& bytes);

// The real file system, with faults and without syncs. Every member may be changed at any time.
class FaultyFileSystem final : public io::FileSystem {
 public:
  std::atomic<bool> full{false};        // writes fail with kDiskFull
  std::atomic<bool> sync_fails{false};  // fdatasync and directory syncs fail with kIo
  std::atomic<bool> open_fails{false};  // opening for reading fails with kIo
  std::atomic<std::int64_t> writes{0};  // that were tried

  // While held, writes / reads wait. Destroying the file system's user first needs a release.
  void hold_writes(bool hold) { set(writes_held_, hold); }
  void hold_reads(bool hold) { set(reads_held_, hold); }
  // Returns when a read is waiting.
  void wait_for_held_read();

  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override;
  Result<std::vector<io::DirectoryEntry>> list(const std::string& directory) override;
  Result<bool> exists(const std::string& path) override;
  Result<void> create_directories(const std::string& path) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_recursively(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<io::DiskSpace> space(const std::string& path) override;

 private:
  class FaultyFile;
  void set(bool& flag, bool value);
  void wait_while(const bool& flag, bool reading);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool writes_held_ = false;
  bool reads_held_ = false;
  int held_reads_ = 0;
};

inline constexpr std::string_view kTopic = "Orders";

struct LogRecord {
  LogPosition position;
  std::int64_t store_time_ms = 0;
  std::vector<std::string> keys;
};

// The log as the index's owner sees it: records that can be read again.
class TestLog {
 public:
  LogPosition begin() const { return begin_; }
  LogPosition end() const { return end_; }
  const std::vector<LogRecord>& records() const { return records_; }

  LogPosition append(std::int64_t store_time_ms, std::vector<std::string> keys,
                     std::int64_t bytes = 100);
  void cut(LogPosition end);
  void trim(LogPosition begin);

  // Step 2 and 4 of the owner's protocol: feeds until the index has everything. At most
  // `records_max` records; false if there is more to do (or the index has no room now).
  bool feed(KeyIndex& index, std::size_t records_max = SIZE_MAX) const;
  // Positions of the records with the key, newest first, as a query must find them if no other key
  // has the same hash.
  std::vector<LogPosition> find(const std::string& key, std::size_t max = kKeyQueryMax,
                                std::int64_t begin_ms = 0, std::int64_t end_ms = INT64_MAX) const;

 private:
  std::vector<LogRecord> records_;
  LogPosition begin_{0};
  LogPosition end_{0};
};

std::vector<LogPosition> positions(std::initializer_list<std::int64_t> values);

}  // namespace gantry::store::test
