// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "io/directory_lock.h"
#include "io/file_system.h"

namespace gantry::io {
namespace {

std::unexpected<Error> io_error(std::string_view what, const std::string& path, int error) {
  const ErrorCode code = error == ENOSPC || error == EDQUOT ? ErrorCode::kDiskFull
                         : error == ENOENT                  ? ErrorCode::kNotFound
                                                            : ErrorCode::kIo;
  return make_error(code, fmt::format("{} {}: {}", what, path, std::strerror(error)));
}

class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~PosixFile() override { ::close(fd_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  const std::string& path() const override { return path_; }

  Result<std::int64_t> size() override {
    struct stat st{};
    if (::fstat(fd_, &st) != 0) return io_error("stat", path_, errno);
    return st.st_size;
  }

  Result<void> write_at(std::int64_t offset, std::span<const Slice> slices) override {
    std::vector<iovec> vectors;
    vectors.reserve(slices.size());
    for (const Slice& s : slices) vectors.push_back({const_cast<void*>(s.data), s.size});
    std::size_t first = 0;
    while (first < vectors.size()) {
      const int count = static_cast<int>(std::min<std::size_t>(vectors.size() - first, IOV_MAX));
      const ssize_t n = ::pwritev(fd_, vectors.data() + first, count, offset);
      if (n < 0) {
        if (errno == EINTR) continue;
        return io_error("write", path_, errno);
      }
      offset += n;
      auto left = static_cast<std::size_t>(n);
      while (first < vectors.size() && left >= vectors[first].iov_len) {
        left -= vectors[first++].iov_len;
      }
      if (left > 0) {
        vectors[first].iov_base = static_cast<char*>(vectors[first].iov_base) + left;
        vectors[first].iov_len -= left;
      }
    }
    return {};
  }

  Result<std::size_t> read_at(std::int64_t offset, std::span<char> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = ::pread(fd_, out.data() + done, out.size() - done,
                                offset + static_cast<std::int64_t>(done));
      if (n < 0) {
        if (errno == EINTR) continue;
        return io_error("read", path_, errno);
      }
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  Result<std::optional<std::size_t>> try_read_at(std::int64_t offset,
                                                 std::span<char> out) override {
    iovec vector{out.data(), out.size()};
    const ssize_t n = ::preadv2(fd_, &vector, 1, offset, RWF_NOWAIT);
    if (n == static_cast<ssize_t>(out.size())) return static_cast<std::size_t>(n);
    if (n >= 0) {
      // Short: the end of the file, or the rest is not in the page cache.
      const auto bytes = size();
      if (!bytes) return std::unexpected(bytes.error());
      if (offset + n >= *bytes) return static_cast<std::size_t>(n);
      return std::optional<std::size_t>{};
    }
    if (errno == EAGAIN) return std::optional<std::size_t>{};
    if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINTR) {
      auto all = read_at(offset, out);  // a file system without the flag: wait
      if (!all) return std::unexpected(all.error());
      return *all;
    }
    return io_error("read", path_, errno);
  }

  Result<void> sync() override {
    while (::fdatasync(fd_) != 0) {
      if (errno != EINTR) return io_error("fdatasync", path_, errno);
    }
    return {};
  }

  Result<std::unique_ptr<File>> reopen() override {
    const int mode = ::fcntl(fd_, F_GETFL) & O_ACCMODE;
    const int fd = ::open(fmt::format("/proc/self/fd/{}", fd_).c_str(), mode | O_CLOEXEC);
    if (fd < 0) return io_error("reopen", path_, errno);
    return std::make_unique<PosixFile>(fd, path_);
  }

  Result<void> allocate(std::int64_t bytes) override {
    int error = 0;
    do {
      error = ::posix_fallocate(fd_, 0, bytes);
    } while (error == EINTR);
    if (error != 0) return io_error(fmt::format("allocate {} bytes for", bytes), path_, error);
    return {};
  }

  Result<void> truncate(std::int64_t bytes) override {
    if (::ftruncate(fd_, bytes) != 0) return io_error("truncate", path_, errno);
    return {};
  }

  Result<void> zero(std::int64_t offset, std::int64_t bytes) override {
    if (bytes <= 0) return {};
    if (::fallocate(fd_, FALLOC_FL_ZERO_RANGE, offset, bytes) == 0) return {};
    if (errno != EOPNOTSUPP) return io_error("zero", path_, errno);
    static const std::vector<char> zeros(1U << 20);
    while (bytes > 0) {
      const auto n = std::min<std::int64_t>(bytes, static_cast<std::int64_t>(zeros.size()));
      GANTRY_TRY(File::write_at(offset, {zeros.data(), static_cast<std::size_t>(n)}));
      offset += n;
      bytes -= n;
    }
    return {};
  }

 private:
  const int fd_;
  const std::string path_;
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    if (mode == OpenMode::kRead) flags |= O_RDONLY;
    if (mode == OpenMode::kReadWrite) flags |= O_RDWR;
    if (mode == OpenMode::kCreate) flags |= O_RDWR | O_CREAT;
    const int fd = ::open(path.c_str(), flags, 0644);
    if (fd < 0) return io_error("open", path, errno);
    return std::make_unique<PosixFile>(fd, path);
  }

  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override {
    DIR* dir = ::opendir(directory.c_str());
    if (dir == nullptr) return io_error("list", directory, errno);
    std::vector<DirectoryEntry> entries;
    while (const dirent* d = ::readdir(dir)) {
      const std::string name = d->d_name;
      if (name == "." || name == "..") continue;
      struct stat st{};
      if (::stat((directory + "/" + name).c_str(), &st) != 0) continue;  // removed meanwhile
      entries.push_back({name, st.st_size, S_ISDIR(st.st_mode)});
    }
    ::closedir(dir);
    std::ranges::sort(entries, {}, &DirectoryEntry::name);
    return entries;
  }

  Result<bool> exists(const std::string& path) override {
    struct stat st{};
    if (::stat(path.c_str(), &st) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return io_error("stat", path, errno);
  }

  Result<void> create_directories(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return io_error("create directory", path, error.value());
    return {};
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return io_error("remove", path, errno);
    return {};
  }

  Result<void> remove_recursively(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return io_error("remove", path, error.value());
    return {};
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return io_error("rename to", to, errno);
    return {};
  }

  Result<void> sync_directory(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return io_error("open", path, errno);
    const int rc = ::fsync(fd);
    const int error = errno;
    ::close(fd);
    if (rc != 0) return io_error("fsync", path, error);
    return {};
  }

  Result<DiskSpace> space(const std::string& path) override {
    struct statvfs st{};
    if (::statvfs(path.c_str(), &st) != 0) return io_error("statvfs", path, errno);
    const auto unit = static_cast<std::int64_t>(st.f_frsize);
    const auto used =
        static_cast<std::int64_t>(st.f_blocks) - static_cast<std::int64_t>(st.f_bfree);
    const auto available = static_cast<std::int64_t>(st.f_bavail);
    return DiskSpace{(used + available) * unit, available * unit};
  }

  Result<std::shared_ptr<void>> lock_directory(const std::string& directory) override {
    auto lock = DirectoryLock::acquire(directory);
    if (!lock) return std::unexpected(lock.error());
    return std::shared_ptr<DirectoryLock>(std::move(*lock));
  }

  std::string boot_id() override {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
  }
};

}  // namespace

FileSystem& posix_file_system() {
  static PosixFileSystem fs;
  return fs;
}

Result<std::string> read_file(FileSystem& fs, const std::string& path, std::size_t bytes_max) {
  auto file = fs.open(path, OpenMode::kRead);
  if (!file) return std::unexpected(file.error());
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  if (static_cast<std::size_t>(*size) > bytes_max) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("{} has {} bytes, more than {}", path, *size, bytes_max));
  }
  std::string bytes(static_cast<std::size_t>(*size), '\0');
  const auto n = (*file)->read_at(0, bytes);
  if (!n) return std::unexpected(n.error());
  bytes.resize(*n);
  return bytes;
}

namespace {

Result<void> write_whole_file(FileSystem& fs, const std::string& path, std::string_view bytes) {
  auto file = fs.open(path, OpenMode::kCreate);
  if (!file) return std::unexpected(file.error());
  GANTRY_TRY((*file)->truncate(0));
  GANTRY_TRY((*file)->write_at(0, bytes));
  return (*file)->sync();
}

}  // namespace

Result<void> write_file_atomically(FileSystem& fs, const std::string& path,
                                   std::string_view bytes) {
  const std::string temporary = path + std::string(kTemporarySuffix);
  if (auto written = write_whole_file(fs, temporary, bytes); !written) {
    ignore_result(fs.remove(temporary), "it only frees the space; the first error matters");
    return written;
  }
  GANTRY_TRY(fs.rename(temporary, path));
  return fs.sync_directory(parent_directory(path));
}

Result<void> create_directories_durably(FileSystem& fs, const std::string& path) {
  std::vector<std::string> made;
  for (std::string at = path; at != "/" && at != "."; at = parent_directory(at)) {
    const auto there = fs.exists(at);
    if (!there) return std::unexpected(there.error());
    if (*there) break;
    made.push_back(at);
  }
  if (made.empty()) return {};
  GANTRY_TRY(fs.create_directories(path));
  for (auto it = made.rbegin(); it != made.rend(); ++it) {
    GANTRY_TRY(fs.sync_directory(parent_directory(*it)));
  }
  return {};
}

std::string parent_directory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace gantry::io
