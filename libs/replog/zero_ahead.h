// SPDX-License-Identifier: Apache-2.0
// How far behind the log's end zeros are to be written, together with a small write that will be
// synced. The blocks of a new log file are reserved, but not written: the first sync of each also
// has to make the file system note, in its journal, that it is written now, which takes as long as
// the sync itself. With zeros some way ahead only one sync in many pays for that.
//
// Owned by Log, used on its shard.
#pragma once

#include <cstdint>
#include <vector>

#include "base/types.h"
#include "io/file_system.h"

namespace gantry::replog {

class ZeroAhead {
 public:
  static constexpr std::int64_t kBytes = 256 << 10;
  // Of a write that is small: a larger one is not worth writing the disk twice.
  static constexpr std::int64_t kWriteBytesMax = 8 << 10;

  // Bytes of zeros to write at `to`, where the log ends with a write of `written` bytes.
  std::int64_t due(LogPosition to, std::int64_t written, LogPosition file_end) const;
  // Adds that many zeros and notes that they will be there.
  void add(LogPosition to, std::int64_t bytes, std::vector<io::Slice>& slices);
  // Nothing is known about what lies behind `position`.
  void cut(LogPosition position);

 private:
  LogPosition zeroed_to_;
};

}  // namespace gantry::replog
