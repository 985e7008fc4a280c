// SPDX-License-Identifier: Apache-2.0
// One process per store: an exclusive lock on the file `lock` in the store directory, as RocketMQ
// takes it. The kernel drops it when the process ends, however it ends.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace gantry::io {

class DirectoryLock {
 public:
  // kConflict names the directory when another process holds it.
  static Result<std::unique_ptr<DirectoryLock>> acquire(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace gantry::io
