// SPDX-License-Identifier: Apache-2.0
// What a replica tells the storage above it, and asks of it. Log shard only. Must not call back
// into the replica from within.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "base/types.h"
#include "replog/snapshot_image.h"

namespace gantry::replog {

class ReplicaListener {
 public:
  using SnapshotDone = std::move_only_function<void(Result<SnapshotImagePtr>)>;

  virtual ~ReplicaListener() = default;
  // This member leads and everything before its term is applied here: it may decide.
  virtual void on_leading(Term term) = 0;
  // It does not any more. What it appended and saw no commit of may vanish.
  virtual void on_following() = 0;
  // Role, leader, term or membership are not what they were.
  virtual void on_group_changed() = 0;
  // The state at a position from `at_least` on, all of it committed, for members whose log cannot
  // be filled otherwise. `done` runs on the shard, now or later, or never when the listener ends.
  virtual void provide_snapshot(LogPosition at_least, SnapshotDone done) = 0;
  // Replaces everything derived from the log by `snapshot`, durably; the log is empty then and goes
  // on at `begin`. Blocks.
  virtual Result<void> install_snapshot(LogPosition begin, std::string_view snapshot) = 0;
};

}  // namespace gantry::replog
