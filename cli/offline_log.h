// SPDX-License-Identifier: Apache-2.0
// A CommitLog opened for reading while no broker runs. Changes nothing on disk.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/directory_lock.h"
#include "io/file_system.h"
#include "replog/log_files.h"
#include "replog/recovery_scan.h"

namespace gantry::cli {

// Passes reads on. Files open for reading only; whatever would change the disk does nothing but say
// so in left_alone().
class ReadOnlyFileSystem final : public io::FileSystem {
 public:
  explicit ReadOnlyFileSystem(io::FileSystem& files) : files_(files) {}

  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override;
  Result<std::vector<io::DirectoryEntry>> list(const std::string& directory) override;
  Result<bool> exists(const std::string& path) override;
  Result<void> create_directories(const std::string& path) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_recursively(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<io::DiskSpace> space(const std::string& path) override;

  // Files a starting broker would remove, e.g. one whose allocation was interrupted.
  const std::vector<std::string>& left_alone() const { return left_alone_; }

 private:
  io::FileSystem& files_;
  std::vector<std::string> left_alone_;
};

class OfflineLog {
 public:
  // `directory`: a store's root directory or its commitlog directory. kNotFound: there is no log.
  // kConflict: a broker uses it, unless `live`. kCorrupt, kUnsupported: the files do not fit.
  static Result<std::unique_ptr<OfflineLog>> open(const std::string& directory, bool live);

  const replog::LogFiles& files() const { return *log_; }
  // What the newest valid snapshot knows of the terms; the scan adds those it meets.
  replog::EpochTable epochs() const { return epochs_; }
  // What the user should know: snapshots that cannot be read, files that are left out.
  const std::vector<std::string>& remarks() const { return remarks_; }

 private:
  OfflineLog();
  Result<void> lock(const std::string& root, bool live);
  void load_epochs(const std::string& raft_directory);

  ReadOnlyFileSystem fs_;
  std::unique_ptr<io::DirectoryLock> lock_;
  std::unique_ptr<replog::LogFiles> log_;
  replog::EpochTable epochs_;
  std::vector<std::string> remarks_;
};

}  // namespace gantry::cli
