// SPDX-License-Identifier: Apache-2.0
// How far everything is known to be on disk, in store/raft/checkpoint (two checksummed slots).
// Written every few seconds and at a clean stop; recovery starts from it. Log shard only.
#pragma once

#include <memory>
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
};

class CheckpointFile {
 public:
  static Result<std::unique_ptr<CheckpointFile>> open(io::FileSystem& fs, const std::string& path);
  // nullopt: none was ever written (a new store, or one of Apache RocketMQ).
  const std::optional<Checkpoint>& value() const { return value_; }
  Result<void> save(const Checkpoint& checkpoint);

 private:
  std::unique_ptr<io::TwoSlotFile> file_;
  std::optional<Checkpoint> value_;
};

}  // namespace gantry::replog
