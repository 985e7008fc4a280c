// SPDX-License-Identifier: Apache-2.0
// The message key index: which records carry a key. A derived store: it is a function of the
// committed log, is never on the path of durability, and can be deleted and rebuilt. File format:
// docs/formats/key-index.md.
//
// How it works. put() appends to a flat buffer in memory. A full buffer is sealed and handed to the
// index's own worker thread, which sorts it by hash and writes it as one immutable *run* file; runs
// of a level are merged into one of the next. Every buffer and every run covers a range of log
// positions; the ranges do not overlap. What is not covered has to be fed (again) from the log.
//
// How the owner feeds it, all on the log shard:
//   1. open() with the log's range.
//   2. Read the log from feed_position() on; for each record put() its keys, then advance() to the
//      record's (or batch's) end; until feed_position() is the end of what may be served. A range
//      that is already covered is skipped by itself: feed_position() jumps over it.
//   3. From then on feed committed records as they come. They are due if feed_position() equals
//      their begin; if not, step 2 is still in progress.
//   4. needs_refeed_from() has a value when a range got lost: entries had to be dropped because the
//      disk could not keep up or is full (then put() and advance() do nothing any more), or a run
//      file turned out to be damaged. Call resume() and go to step 2.
// Queries see everything that was put, written or not. cut(), trim(), resume(), seal() and flush()
// do not come between the put() of a record and the advance() over it.
//
// Owned by the store; every function belongs to the log shard unless it says otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "io/file_system.h"

namespace gantry::store {

class ApacheIndex;
class KeyBuffer;
class KeyIndexReader;
class KeyIndexWorker;
struct SearchTask;

inline constexpr std::size_t kKeyQueryMax = 64;  // RocketMQ's maxMsgsNumBatch

struct KeyIndexOptions {
  // The log's valid range at open: runs below are deleted, entries at or behind the end are cut.
  LogPosition log_begin{0};
  LogPosition log_end{std::numeric_limits<std::int64_t>::max()};
  // Answers for records that begin below `apache_end` (usually its indexed_up_to(), and not above
  // the end of the log that RocketMQ wrote); they need not be fed. Null if there is none.
  std::shared_ptr<ApacheIndex> apache;
  LogPosition apache_end{0};
  // A buffer is sealed at this many entries (12 bytes each), or when it covers so much log.
  std::size_t buffer_entries = 256 * 1024;
  std::int64_t buffer_log_bytes = std::int64_t{256} << 20;
  // Sealed buffers that may wait for the disk; one more, and entries are dropped.
  std::size_t sealed_buffers_max = 4;
  // So many neighbouring runs of a level become one of the next, unless the result got larger than:
  std::size_t merge_fanout = 8;
  std::uint64_t run_entries_max = std::uint64_t{32} << 20;
  std::int64_t run_log_bytes_max = std::int64_t{256} << 30;
  // Wait after a failed write or merge; doubles up to the maximum.
  std::chrono::milliseconds retry_min{500};
  std::chrono::milliseconds retry_max{30'000};
  std::size_t queries_max = 1024;   // waiting for the reader thread
  int worker_nice = 5;              // of the thread that sorts, writes and merges
  io::FileSystem* files = nullptr;  // posix_file_system() if null; must outlive the index
  // Called on the worker thread when entries had been dropped, or resume() was kBusy, and resume()
  // will now succeed. Not after the index is gone.
  std::function<void()> on_room;
};

enum class KeyKind : std::uint8_t {
  kKey,  // UNIQ_KEY or a word of KEYS
  kTag,  // TAGS as RocketMQ 5.5 files them (indexType T)
};

struct KeyQuery {
  std::string_view topic;
  std::string_view key;
  KeyKind kind = KeyKind::kKey;
  std::size_t max = kKeyQueryMax;  // at most kKeyQueryMax counts
  std::int64_t begin_ms = 0;       // store time, both ends included
  std::int64_t end_ms = std::numeric_limits<std::int64_t>::max();
};

// The newest entry: what QUERY_MESSAGE answers as indexLastUpdate{Timestamp,Phyoffset}.
struct KeyIndexLast {
  std::int64_t store_time_ms = 0;
  LogPosition position{0};
};

struct KeyQueryResult {
  std::vector<LogPosition> positions;  // newest first, each once; equal hash, not always equal key
  KeyIndexLast last;
  bool complete = true;  // false: a range of the log is missing in the index, or was unreadable
};

struct KeyIndexStats {
  std::uint64_t entries = 0;  // in memory and in files
  std::uint64_t runs = 0;
  std::uint64_t run_bytes = 0;
  std::uint64_t sealed_buffers = 0;
  std::uint64_t dropped_entries = 0;  // since open
  std::uint64_t written_entries = 0;  // by the first write of each buffer, since open
  std::uint64_t written_bytes = 0;    // by those and by merges, since open
  std::uint64_t merges = 0;
  std::uint64_t damaged_runs = 0;   // set aside since open
  std::uint64_t worker_cpu_ns = 0;  // of the worker thread
  KeyIndexLast last;
};

class KeyIndex {
 public:
  using Done = std::move_only_function<void(KeyQueryResult)>;

  // Opens or creates the index in `directory`, starts its threads. A damaged run is named in the
  // log and set aside as `*.damaged`; it leaves a gap to be fed. Fails only if the directory or a
  // file cannot be opened at all.
  static Result<std::unique_ptr<KeyIndex>> open(std::string directory, KeyIndexOptions options);
  // Joins the threads. What has not been written is lost and will be fed again after the next open;
  // call flush() first to avoid that. Waiting queries are answered as incomplete.
  ~KeyIndex();
  KeyIndex(const KeyIndex&) = delete;
  KeyIndex& operator=(const KeyIndex&) = delete;

  // Files `key` for the record at `position`. Positions must not decrease; entries of ranges that
  // are already covered are ignored. About 15 ns.
  void put(std::string_view topic, std::string_view key, LogPosition position,
           std::int64_t store_time_ms);
  void put_tag(std::string_view topic, std::string_view tag, LogPosition position,
               std::int64_t store_time_ms);
  // Every key of every record that begins below `end` has been put.
  void advance(LogPosition end);

  // The record to be fed next begins here.
  LogPosition feed_position() const { return fed_; }
  // Everything of records below this position is in durable files; where feeding would start if the
  // process ended now.
  LogPosition durable_up_to() const;
  // See step 4 above. Cheap; meant to be asked once per batch.
  std::optional<LogPosition> needs_refeed_from() const;
  // Makes the first missing position the feed_position() and returns it. kBusy while too many
  // buffers wait for the disk (then on_room follows).
  Result<LogPosition> resume();

  // The log ends at `end` now: removes entries of records at or behind it, in memory and files.
  // Waits for the worker and for the disk; for recovery and conflicts. On an error the affected
  // runs are gone and their ranges have to be fed again.
  Result<void> cut(LogPosition end);
  // The log begins at `begin` now: forgets entries below, deletes runs that lie wholly below.
  void trim(LogPosition begin);

  // Searches memory and files on the reader thread and calls `done` there; the caller posts back to
  // its shard. kBusy (and `done` is not called) when too many queries wait.
  Result<void> query_async(const KeyQuery& query, Done done);
  // The same on the calling thread; waits for the disk. For tools and tests.
  KeyQueryResult query(const KeyQuery& query);

  // Seals the active buffer, so that it is written soon. No wait. kBusy if there is no room.
  Result<void> seal();
  // Seals and waits until everything is durable. For a clean stop. kTimeout, or the disk's error.
  Result<void> flush(std::chrono::milliseconds timeout);
  // Waits until there is nothing to write, merge or delete. For tests and benchmarks.
  Result<void> wait_idle(std::chrono::milliseconds timeout);

  KeyIndexStats stats() const;

 private:
  KeyIndex(std::unique_ptr<KeyIndexWorker> worker, const KeyIndexOptions& options);
  void put_hash(std::uint32_t hash, LogPosition position, std::int64_t store_time_ms);
  void put_slow(std::uint32_t hash, LogPosition position, std::int64_t store_time_ms);
  void enlarge_active();
  bool seal_active(LogPosition end);
  void drop_active();
  void start_at_gap();
  void start_buffer(LogPosition begin, LogPosition limit);
  KeyIndexLast last() const;
  SearchTask search_task(const KeyQuery& query);

  const KeyIndexOptions options_;
  LogPosition apache_end_{0};
  std::shared_ptr<KeyBuffer> active_;
  LogPosition fed_{0};
  LogPosition limit_{0};  // the first position behind fed_ that is covered already
  LogPosition log_begin_{0};
  bool stopped_ = false;  // entries were dropped; waits for resume()
  std::uint64_t dropped_entries_ = 0;
  KeyIndexLast sealed_last_;  // the newest entry outside the active buffer
  // Their threads end before the rest goes, the reader's first.
  std::unique_ptr<KeyIndexWorker> worker_;
  std::unique_ptr<KeyIndexReader> reader_;
};

}  // namespace gantry::store
