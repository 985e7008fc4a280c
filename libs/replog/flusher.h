// SPDX-License-Identifier: Apache-2.0
// The thread that only syncs. The log shard asks for a position; when everything below it is on
// disk the answer is posted back. Requests that arrive while a sync runs are merged into the next
// one (group commit). A failed sync ends the process: the kernel may have dropped the dirty pages,
// and nothing that was acknowledged may depend on a second try.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/types.h"
#include "io/file_system.h"

namespace gantry::replog {

// fdatasync of a file of the log; any thread. A failure ends the process with it as the last line.
void sync_or_end(io::File& file);

class Flusher {
 public:
  using OnDurable = std::function<void(LogPosition)>;  // called on the flusher's thread

  explicit Flusher(OnDurable on_durable);
  ~Flusher();  // finishes the running sync, drops the pending one
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  // Everything below `target` is written to `files`; make it durable.
  void request(LogPosition target, std::vector<std::shared_ptr<io::File>> files);

  std::int64_t syncs() const { return syncs_; }
  std::int64_t sync_us_total() const { return sync_us_total_; }

 private:
  void run();

  const OnDurable on_durable_;
  std::mutex mutex_;
  std::condition_variable wake_;
  LogPosition target_;
  std::vector<std::shared_ptr<io::File>> files_;
  bool pending_ = false;
  bool stopping_ = false;
  std::atomic<std::int64_t> syncs_ = 0;
  std::atomic<std::int64_t> sync_us_total_ = 0;
  std::thread thread_;
};

}  // namespace gantry::replog
