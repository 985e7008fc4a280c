// SPDX-License-Identifier: Apache-2.0
#include "io/directory_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace gantry::io {

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::acquire(const std::string& directory) {
  const std::string path = directory + "/lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return make_error(ErrorCode::kIo, fmt::format("open {}: {}", path, std::strerror(errno)));
  }
  std::unique_ptr<DirectoryLock> lock(new DirectoryLock(fd));
  // Java's FileChannel.lock is a POSIX record lock, so take that kind too: a RocketMQ broker and
  // Gantry then exclude each other. flock also excludes two instances inside one process.
  struct flock range{};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 || ::fcntl(fd, F_SETLK, &range) != 0) {
    if (errno == EWOULDBLOCK || errno == EACCES || errno == EAGAIN) {
      return make_error(ErrorCode::kConflict,
                        fmt::format("store directory {} is in use by another process: stop it, or "
                                    "choose another storePathRootDir",
                                    directory));
    }
    return make_error(ErrorCode::kIo, fmt::format("lock {}: {}", path, std::strerror(errno)));
  }
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, "lock", 4, 0) != 4) {
    return make_error(ErrorCode::kIo, fmt::format("write {}: {}", path, std::strerror(errno)));
  }
  return lock;
}

DirectoryLock::~DirectoryLock() { ::close(fd_); }

}  // namespace gantry::io
