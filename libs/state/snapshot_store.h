// SPDX-License-Identifier: Apache-2.0
// Snapshots of the state machine on disk: `<directory>/state-<20-digit position>`, the two newest
// valid ones. They are primary data: the log before the older one may be gone. Format:
// docs/formats/snapshot.md.
//
// save(), load() and read() block on the disk: call them on a background thread, one at a time; the
// object has no lock. durable_position() may be read only while neither save() nor load() runs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "io/file_system.h"

namespace gantry::state {

class SnapshotStore {
 public:
  struct Loaded {
    LogPosition position;
    std::string body;  // for StateMachine::load_snapshot
    std::string path;
  };
  struct Damaged {
    std::string path;
    std::string reason;
  };
  struct LoadResult {
    std::optional<Loaded> newest;  // nullopt: there is no valid snapshot
    std::vector<Damaged> damaged;  // newest first; report them
  };

  // `directory` (store/raft) is created by save(). `fs` outlives this object.
  SnapshotStore(io::FileSystem& fs, std::string directory);

  // On success the snapshot is durable under its name: file synced, renamed, directory synced.
  // Errors: kDiskFull, kIo; older snapshots are untouched then.
  Result<void> save(LogPosition position, std::string_view body);

  // The log turned out to end at `position`, before the newest snapshot. The same as save(), and
  // the snapshots above are deleted: they are of records that do not exist.
  Result<void> restart_at(LogPosition position, std::string_view body);

  // Newest valid snapshot and every damaged file met before it. Removes left-over temporary files.
  // A missing directory is an empty one. Errors: kIo.
  Result<LoadResult> load();

  // As load(), but changes nothing: may run beside reads of durable_position().
  Result<LoadResult> read() const;

  // Position of the newest snapshot that save() or load() proved durable: the log may be deleted
  // before min(this, trim position).
  std::optional<LogPosition> durable_position() const { return durable_; }

  static std::string file_name(LogPosition position);
  // The file's bytes for a body, and back.
  static std::string encode(LogPosition position, std::string_view body);
  static Result<std::pair<LogPosition, std::string_view>> decode(std::string_view file);

 private:
  struct File {
    LogPosition position;
    std::string path;
  };
  Result<std::vector<File>> list(bool remove_temporary) const;  // newest first
  Result<std::string> read_valid(const File& file) const;
  void remove_old() const;

  io::FileSystem& fs_;
  const std::string directory_;
  std::optional<LogPosition> durable_;
};

}  // namespace gantry::state
