// SPDX-License-Identifier: Apache-2.0
// The CommitLog's files: equal size, named by their first position in 20 digits, no gaps. Files are
// always new and zero-filled; behind the end of the log only zeros are valid. The newest file may
// be an empty reserve. Owned by the log; changed on the log shard only. The File objects may also
// be used by the flusher and the cold-read threads, who hold them by shared_ptr.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "io/file_system.h"

namespace gantry::replog {

class LogFiles {
 public:
  struct Options {
    std::string directory;
    std::int64_t file_bytes = 1LL << 30;
  };

  // Opens what is there; an empty or missing directory is an empty log that begins at 0.
  // kCorrupt / kUnsupported name the file that does not fit.
  static Result<std::unique_ptr<LogFiles>> open(io::FileSystem& fs, Options options);

  std::int64_t file_bytes() const { return options_.file_bytes; }
  const std::string& directory() const { return options_.directory; }
  bool empty() const { return files_.empty(); }
  // First position of the oldest file / position behind the newest file.
  LogPosition begin() const;
  LogPosition end() const;
  std::size_t count() const { return files_.size(); }
  // First position of the file that holds `position`.
  LogPosition file_start(LogPosition position) const;

  // Adds one zero-filled file at the end. kDiskFull leaves nothing behind.
  Result<void> extend();
  // The same in three steps, so that the part that waits for the disk runs on another thread.
  // What makers of the next file on other threads and changes of the log share: only one may give a
  // file its name, only while it is the next one, and nobody who began before a cut. Else a file
  // that was long in the making would stay alone below the log's begin or beyond its end.
  struct Naming {
    std::mutex mutex;
    std::uint64_t cuts = 0;
    LogPosition end;  // where the next file begins
  };
  class NextFile {
   public:
    // kConflict: the file is not the next one any more.
    Result<void> make();  // any thread

   private:
    friend class LogFiles;
    io::FileSystem* fs = nullptr;
    std::string directory;
    LogPosition start;
    std::int64_t bytes = 0;
    std::uint64_t attempt = 0;
    std::uint64_t cuts = 0;
    std::shared_ptr<Naming> naming;
    std::shared_ptr<io::File> file;
  };
  NextFile next_file();
  // Ignored if a file of that start is there already, or if the log was cut meanwhile.
  void adopt(NextFile next);

  // [position, position + bytes) must lie in one file.
  Result<void> write(LogPosition position, std::span<const io::Slice> slices);
  // Up to the end of the file that holds `position`. kNotFound outside the files.
  Result<std::size_t> read(LogPosition position, std::span<char> out) const;
  Result<std::optional<std::size_t>> try_read(LogPosition position, std::span<char> out) const;

  // The file that holds `position`, for other threads; null outside.
  std::shared_ptr<io::File> file_at(LogPosition position) const;
  // The files that overlap [from, to).
  std::vector<std::shared_ptr<io::File>> files_in(LogPosition from, LogPosition to) const;

  // Deletes whole files that end at or below `position`, never the last two. Returns bytes freed.
  Result<std::int64_t> remove_before(LogPosition position);
  // Deletes all files; the next one made begins at `begin`, a multiple of file_bytes().
  Result<void> restart_at(LogPosition begin);
  // Everything from `position` on becomes zero, later files are deleted, all of it durable.
  Result<void> cut(LogPosition position);

 private:
  struct Entry {
    LogPosition start;
    std::shared_ptr<io::File> file;
  };
  LogFiles(io::FileSystem& fs, Options options) : fs_(fs), options_(std::move(options)) {}
  const Entry* find(LogPosition position) const;
  Result<void> remove_unadopted();

  io::FileSystem& fs_;
  Options options_;
  std::deque<Entry> files_;
  LogPosition base_;  // where the first file begins while there is none
  std::uint64_t attempts_ = 0;
  std::shared_ptr<Naming> naming_ = std::make_shared<Naming>();
};

// "00000000001073741824"
std::string position_file_name(std::int64_t position);
std::optional<std::int64_t> parse_position_file_name(std::string_view name);

}  // namespace gantry::replog
