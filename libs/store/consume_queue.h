// SPDX-License-Identifier: Apache-2.0
// One consume queue: the index from a (topic, queueId)'s queue offsets to positions in the log.
// RocketMQ's layout: files of 300,000 entries of 20 bytes, named by their first byte. Derived from
// the log; new entries stay in memory and are written back in batches. Log shard only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "io/file_system.h"

namespace gantry::store {

struct QueueEntry {
  LogPosition position;
  std::int32_t size = 0;
  std::int64_t tags_code = 0;

  // An index without a message: filled in before the first one, or where the log is damaged.
  bool blank() const { return size == kBlankSize; }
  static constexpr std::int32_t kBlankSize = 0x7FFFFFFF;
};

class ConsumeQueue {
 public:
  static constexpr std::int64_t kEntryBytes = 20;

  ConsumeQueue(io::FileSystem& fs, std::string directory, std::int64_t file_bytes);

  // Finds [min, max) of what is on disk and erases entries at or beyond `log_applied`: they come
  // again when the log is replayed from there, or never, and must not be met by a later load.
  // `writes_lost`: of such entries pieces may be there, and some behind zeros (the machine went
  // down).
  Result<void> load(LogPosition log_begin, LogPosition log_applied, bool writes_lost = true);

  QueueOffset min() const { return min_; }
  QueueOffset max() const { return max_; }  // committed
  // The leader's view: the offset the next message gets; >= max().
  QueueOffset next() const { return next_; }
  void take_next() { ++next_; }
  void reset_next() { next_ = max_; }

  // Idempotent: an offset below max() is ignored; a gap is filled with blanks.
  void append(QueueOffset offset, const QueueEntry& entry);

  // Entries from `from` on, up to out.size(), all inside [min, max); may return fewer at a file's
  // end. 0 when `from` is outside.
  Result<std::size_t> read(QueueOffset from, std::span<QueueEntry> out);
  Result<QueueEntry> at(QueueOffset offset);

  bool dirty() const { return written_ < max_; }
  bool unsynced() const { return open_unsynced_ || directory_unsynced_ || !unsynced_.empty(); }
  // Writes entries that are only in memory; kDiskFull keeps them.
  Result<void> write_back();
  // Moves what has been written and not yet synced to `files`, and directories with new names, up
  // to the one of all topics, to `directories`.
  void take_unsynced(std::vector<std::shared_ptr<io::File>>& files,
                     std::vector<std::string>& directories);
  // Frees memory and file handles of a queue nobody appends to.
  void relax();
  std::size_t memory_bytes() const { return tail_.capacity(); }

  // Moves min() behind entries whose position lies below `log_begin`; deletes whole files.
  Result<void> trim(LogPosition log_begin);
  // Deletes all files.
  Result<void> destroy();

 private:
  Result<io::File*> file_for(std::int64_t byte_offset, bool create);
  Result<bool> lies_below(QueueOffset offset, LogPosition log_applied);
  Result<QueueOffset> end_of_whole(LogPosition log_applied);
  Result<QueueOffset> end_among_pieces(LogPosition log_applied);
  Result<void> erase_behind_max(bool writes_lost);
  Result<void> zero_written(io::File& file, std::int64_t at, bool writes_lost);
  Result<QueueEntry> read_disk(QueueOffset offset);
  void drop_memory(std::size_t keep_entries);
  std::int64_t entries_per_file() const { return file_bytes_ / kEntryBytes; }

  io::FileSystem& fs_;
  const std::string directory_;
  const std::int64_t file_bytes_;

  std::vector<std::int64_t> files_;  // first byte of each file on disk, ascending
  std::int64_t open_start_ = -1;     // of the one file that is kept open
  std::shared_ptr<io::File> open_;
  std::vector<std::shared_ptr<io::File>> unsynced_;
  bool open_unsynced_ = false;
  bool directory_unsynced_ = false;
  bool directory_inherited_ = false;  // an earlier start may not have synced what it made there

  QueueOffset min_, max_, next_;
  QueueOffset written_;     // entries below are in the files
  QueueOffset tail_start_;  // first entry in tail_
  std::vector<char> tail_;  // encoded entries [tail_start_, max_)
};

}  // namespace gantry::store
