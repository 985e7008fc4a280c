// SPDX-License-Identifier: Apache-2.0
// How far everything is known to be on disk, in store/raft/checkpoint (two checksummed slots).
// Written every few seconds and at a clean stop; recovery starts from it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "base/types.h"
#include "io/two_slot_file.h"

namespace gantry::replog {

struct Checkpoint {
  LogPosition durable;         // the log is synced up to here
  LogPosition queues_applied;  // consume queues are synced for all records below
  LogPosition index_applied;   // key index, likewise
  LogPosition committed;       // known to be committed by the group, and durable here
  LogPosition index_from;      // older records are in RocketMQ's index files, not in ours
  // >= 0: the log from here up to the term-start record behind it was written by Apache RocketMQ,
  // and no snapshot knows that yet.
  LogPosition apache_from{-1};
  std::string boot_id;       // of the file system when it was written
  bool clean = false;        // written by a clean stop: `durable` is the log's end
  bool async_flush = false;  // the group's flush mode when written
  std::uint64_t cuts = 0;    // CheckpointFile::cuts() when it was made; not in the file
};

class CheckpointFile {
 public:
  static Result<std::unique_ptr<CheckpointFile>> open(io::FileSystem& fs, const std::string& path);
  // nullopt: none was ever written (a new store, or one of Apache RocketMQ). Log shard, while
  // nothing saves.
  const std::optional<Checkpoint>& value() const { return value_; }
  // Durable when it returns. Any thread, one at a time. What has been cut since it was made is not
  // called durable.
  Result<void> save(Checkpoint checkpoint);
  // Before the log is cut: bytes that a leader's log has replaced are not missing. Durable when it
  // returns. Log shard; waits for a save on another thread.
  Result<void> cut(LogPosition position);
  std::uint64_t cuts() const;

 private:
  Result<void> write(const Checkpoint& checkpoint);

  mutable std::mutex mutex_;
  std::unique_ptr<io::TwoSlotFile> file_;
  std::optional<Checkpoint> value_;
  std::uint64_t cuts_ = 0;
};

}  // namespace gantry::replog
