// SPDX-License-Identifier: Apache-2.0
#include "state/durable_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

namespace gantry::state {
namespace {

std::unexpected<Error> system_error(std::string_view what, const std::string& path, int number) {
  const ErrorCode code =
      number == ENOSPC || number == EDQUOT ? ErrorCode::kDiskFull : ErrorCode::kIo;
  return make_error(code,
                    fmt::format("{} {}: {}", what, path, std::generic_category().message(number)));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  // Reports what the destructor could not.
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

Result<void> write_all(const Descriptor& file, const std::string& path, std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = ::write(file.get(), data.data(), data.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return system_error("cannot write", path, errno);
    }
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> write_temporary(const std::string& path, std::string_view data) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) return system_error("cannot create", path, errno);
  GANTRY_TRY(write_all(file, path, data));
  if (::fsync(file.get()) != 0) return system_error("cannot sync", path, errno);
  if (file.close() != 0) return system_error("cannot close", path, errno);
  return {};
}

std::string parent_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

}  // namespace

Result<std::optional<std::string>> read_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT) return std::optional<std::string>();
    return system_error("cannot open", path, errno);
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return system_error("cannot stat", path, errno);
  if (!S_ISREG(status.st_mode)) {
    return make_error(ErrorCode::kIo, fmt::format("{} is not a regular file", path));
  }
  constexpr std::size_t kChunk = 65536;
  std::string data;
  data.reserve(static_cast<std::size_t>(status.st_size) + kChunk);
  while (true) {
    const std::size_t size = data.size();
    data.resize(size + kChunk);
    const ssize_t n = ::read(file.get(), data.data() + size, kChunk);
    if (n < 0 && errno != EINTR) return system_error("cannot read", path, errno);
    data.resize(size + static_cast<std::size_t>(n < 0 ? 0 : n));
    if (n == 0) return data;
  }
}

Result<void> write_file_durable(const std::string& path, std::string_view data) {
  const std::string temporary = path + std::string(kTemporarySuffix);
  if (auto written = write_temporary(temporary, data); !written) {
    ::unlink(temporary.c_str());  // frees the space; a failure here changes nothing
    return written;
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return system_error("cannot rename to", path, errno);
  }
  return sync_directory(parent_of(path));
}

Result<void> make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return system_error("cannot create directory", path, error.value());
  return sync_directory(parent_of(path));
}

Result<void> sync_directory(const std::string& directory) {
  const Descriptor file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0) return system_error("cannot open directory", directory, errno);
  if (::fsync(file.get()) != 0) return system_error("cannot sync directory", directory, errno);
  return {};
}

}  // namespace gantry::state
