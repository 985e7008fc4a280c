// SPDX-License-Identifier: Apache-2.0
// The part of the key index that is shared between threads: sealed buffers that wait for the disk,
// the list of runs, and the thread that writes and merges them. The log shard calls it; the thread
// works with the mutex released and publishes each result under it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "store/key_index.h"
#include "store/key_index_buffer.h"
#include "store/key_index_runs.h"

namespace gantry::store {

// What a query searches beside the active buffer. Must be given back (release), because buffers
// are reused only when the mutex has proven that nobody reads them.
struct KeyIndexView {
  std::vector<SealedBuffer> buffers;
  std::shared_ptr<const RunList> runs;
};

class KeyIndexWorker {
 public:
  using Millis = std::chrono::milliseconds;

  KeyIndexWorker(std::string directory, const KeyIndexOptions& options, LoadedRuns loaded);
  // Gives up a merge in progress, ends a write in progress, drops what waits.
  ~KeyIndexWorker();
  KeyIndexWorker(const KeyIndexWorker&) = delete;
  KeyIndexWorker& operator=(const KeyIndexWorker&) = delete;

  // Log shard.
  std::shared_ptr<KeyBuffer> take_buffer(std::size_t capacity);
  void give_back(std::shared_ptr<KeyBuffer> buffer);
  bool enqueue(SealedBuffer sealed);  // false: too many wait; on_room follows when few do
  bool may_enqueue();
  bool has_room();  // so much that entries may be fed again; if not, on_room follows
  Result<void> cut(LogPosition end);
  void trim(LogPosition begin);
  Result<void> wait_written(Millis timeout);
  Result<void> wait_idle(Millis timeout);

  // Any thread.
  KeyIndexView view();
  void release(KeyIndexView&& view);
  // A run that could not be read: removes it from the list and sets the file aside.
  void set_aside(const RunPtr& run, const Error& why);
  // The first stretch at or behind `from` that is covered neither here nor by RocketMQ's index.
  LogRange gap_from(LogPosition from);
  LogPosition durable_up_to() const { return LogPosition(durable_up_to_.load()); }
  // Whether a run was lost since this was set to false.
  bool lost_runs() const { return lost_runs_.load(std::memory_order_relaxed); }
  void set_lost_runs(bool lost) { lost_runs_ = lost; }
  void add_stats(KeyIndexStats& stats);
  KeyIndexLast last_entry();  // the newest in runs and sealed buffers

 private:
  using Lock = std::unique_lock<std::mutex>;
  using Time = std::chrono::steady_clock::time_point;

  // When a failed kind of work may be tried again.
  struct Retry {
    Time at{};
    Millis wait{0};
  };

  void run();
  bool work_once(Lock& lock);
  void wait_for_work(Lock& lock);
  bool may_write() const;
  void write_front(Lock& lock);
  void merge(Lock& lock, const MergePlan& plan);
  void install_merged(const RunPtr& merged, const RunList& inputs);
  bool go_on_merging();
  void remove_garbage(Lock& lock);
  void call_on_room(Lock& lock);
  Result<void> cut_runs(LogPosition end);
  Result<void> cut_run(const RunPtr& run, LogPosition end, RunList& kept);
  void put_off(Retry& retry, const Error& error, const char* what);
  void change_runs(RunList runs);
  std::vector<LogRange> covered_on_disk() const;
  void update_durable();
  void account_cpu();

  const std::string directory_;
  const KeyIndexOptions options_;
  io::FileSystem& fs_;

  std::mutex mutex_;
  std::condition_variable work_;     // for the thread
  std::condition_variable changed_;  // for those who wait for it
  // Guarded by mutex_:
  std::deque<SealedBuffer> sealed_;
  std::shared_ptr<const RunList> runs_;
  std::vector<std::shared_ptr<KeyBuffer>> spare_;
  std::vector<std::string> garbage_;  // files to delete
  LogPosition log_begin_;
  LogPosition apache_end_;  // below, RocketMQ's index answers
  Retry write_retry_;
  Retry merge_retry_;
  std::optional<Error> write_error_;  // of the last attempt
  std::uint64_t write_attempts_ = 0;
  std::uint64_t failed_attempt_ = 0;  // the latest
  bool room_wanted_ = false;
  bool stopping_ = false;
  bool paused_ = false;
  bool busy_ = false;
  std::uint64_t written_entries_ = 0;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t merges_ = 0;
  std::uint64_t damaged_ = 0;

  std::atomic<std::int64_t> durable_up_to_{0};
  std::atomic<bool> lost_runs_{false};
  std::atomic<std::uint64_t> cpu_ns_{0};

  // Only the thread: working memory of the sort, kept between buffers.
  std::vector<std::uint64_t> order_;
  std::vector<std::uint64_t> scratch_;
  std::thread thread_;
};

}  // namespace gantry::store
