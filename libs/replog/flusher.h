// SPDX-License-Identifier: Apache-2.0
// Syncs the log's files off the shard. Several syncs may be under way, a part of the time that one
// takes apart: whoever waits for the disk waits for its own sync, not for the rest of another one
// before it. What is written meanwhile goes with the next (group commit).
//
// Owned by Log; used on its shard, the syncs run on threads of the flusher. A failed sync ends the
// process: the kernel may have dropped the dirty pages, and nothing that was acknowledged may
// depend on a second try.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/file_system.h"
#include "runtime/loop.h"

namespace gantry::replog {

// Handles of its own for files that others write. A failed write-back is reported once to each
// handle: two threads that sync the same one could each take the other's failure for its own.
class SyncHandles {
 public:
  // fdatasync of all of them.
  Result<void> sync(const std::vector<std::shared_ptr<io::File>>& files);

 private:
  struct Handle {
    std::weak_ptr<io::File> of;
    std::unique_ptr<io::File> own;
  };
  std::vector<Handle> handles_;
};

class Flusher {
 public:
  static constexpr int kSyncsMax = 3;
  using Files = std::vector<std::shared_ptr<io::File>>;
  using Fatal = std::function<void(const Error&)>;              // any thread; does not return
  using Done = std::move_only_function<void(std::int64_t us)>;  // on the shard: how long it took

  Flusher(runtime::Loop& loop, Clock& clock, Fatal fatal);
  // Waits for the syncs under way; their Done is not called any more.
  ~Flusher();

  // Another sync may begin now. False: one of those under way will end and make it true.
  bool ready() const;
  // Only when ready(). `done`: what had been written to `files` before this call is on disk.
  void start(Files files, Done done);
  // How long the oldest sync has been under way; 0: none is.
  std::int64_t running_us() const;

 private:
  struct Lane {
    std::shared_ptr<SyncHandles> handles = std::make_shared<SyncHandles>();  // its thread only
    bool busy = false;
    std::int64_t since_us = 0;
    std::unique_ptr<runtime::TaskRunner> worker;
  };

  void finished(Lane& lane, std::int64_t us, Done& done);

  runtime::Loop& loop_;
  Clock& clock_;
  const Fatal fatal_;
  std::array<Lane, kSyncsMax> lanes_;
  std::int64_t last_start_us_ = 0;
  std::int64_t mean_us_ = 0;  // of the syncs of late
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::replog
