// SPDX-License-Identifier: Apache-2.0
// The key index files that Apache RocketMQ left behind (`store/index/<yyyyMMddHHmmssSSS>`), read
// only, so that a store that was taken over stays searchable without reading its log again. Nothing
// in the files is trusted: counts, links and sizes are checked against the file. File format:
// docs/formats/key-index.md.
//
// Opened at start; afterwards every function may be called from every thread. search() waits for
// the disk. Usually handed to KeyIndex, which asks it on its reader thread.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "io/file_system.h"
#include "store/key_index_entry.h"

namespace gantry::store {

struct ApacheIndexOptions {
  // The broker's maxHashSlotNum and maxIndexNum; they decide the size of a file.
  std::uint32_t hash_slots = 5'000'000;
  std::uint32_t entries_max = 20'000'000;
  // After an unclean stop: the checkpoint's indexMsgTimestamp. Files with newer entries may lack
  // pages; RocketMQ deletes them at its next start, here they are left alone and not used.
  std::int64_t trusted_up_to_ms = std::numeric_limits<std::int64_t>::max();
  io::FileSystem* files = nullptr;  // posix_file_system() if null; must outlive the index
};

class ApacheIndex {
 public:
  struct Last {
    std::int64_t store_time_ms = 0;
    LogPosition position{0};
  };

  // A directory that does not exist is an index without files. A file that cannot be used is named
  // in the log and left out (see complete()).
  static Result<std::unique_ptr<ApacheIndex>> open(const std::string& directory,
                                                   ApacheIndexOptions options);
  ~ApacheIndex();
  ApacheIndex(const ApacheIndex&) = delete;
  ApacheIndex& operator=(const ApacheIndex&) = delete;

  // Records that begin below this position are indexed here; the one at it may be in part. 0 if
  // there are no files.
  LogPosition indexed_up_to() const;
  Last last() const;
  std::size_t file_count() const;
  // False if files were left out, so that older keys may be missing.
  bool complete() const { return complete_; }

  // Offers matches below `end`, newest first. RocketMQ keeps seconds, so at the ends of the time
  // range entries count that lie up to a second outside. An error (kCorrupt, kIo) means that some
  // may be missing; what was found is in `search`.
  Result<void> search(KeySearch& search, LogPosition end) const;

  // The log begins at `begin`: forgets files whose entries all lie below and returns their paths;
  // the caller deletes them, as RocketMQ would.
  std::vector<std::string> forget_below(LogPosition begin);

 private:
  class IndexFile;
  ApacheIndex(ApacheIndexOptions options, std::string directory);
  Result<void> load();
  std::vector<std::shared_ptr<const IndexFile>> files() const;

  const ApacheIndexOptions options_;
  const std::string directory_;
  bool complete_ = true;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const IndexFile>> files_;  // oldest first; guarded by mutex_
};

}  // namespace gantry::store
