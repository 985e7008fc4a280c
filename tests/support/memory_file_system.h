// SPDX-License-Identifier: Apache-2.0
// A file system in memory for tests: keeps bytes, can refuse space and writes. Usable from several
// threads as far as a real one is: not for the same bytes, nor for one file while its size changes.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "io/file_system.h"

namespace gantry::testing {

class MemoryFileSystem final : public io::FileSystem {
 public:
  using Bytes = std::shared_ptr<std::string>;

  void put(const std::string& path, std::string bytes) {
    const std::lock_guard lock(mutex_);
    files_[path] = std::make_shared<std::string>(std::move(bytes));
  }
  // Null when there is no such file.
  Bytes get(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto it = files_.find(path);
    return it == files_.end() ? nullptr : it->second;
  }
  // Bytes that may still be allocated; a negative value is no limit.
  std::int64_t space_left = -1;
  std::atomic<int> syncs = 0;
  std::atomic<std::size_t> written = 0;  // bytes, into any file

  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override {
    const std::lock_guard lock(mutex_);
    const auto it = files_.find(path);
    Bytes bytes = it == files_.end() ? nullptr : it->second;
    if (!bytes) {
      if (mode != io::OpenMode::kCreate)
        return make_error(ErrorCode::kNotFound, path + ": no such file");
      bytes = files_[path] = std::make_shared<std::string>();
    }
    return std::make_unique<MemoryFile>(*this, path, bytes);
  }
  Result<std::vector<io::DirectoryEntry>> list(const std::string& directory) override {
    const std::lock_guard lock(mutex_);
    std::map<std::string, io::DirectoryEntry> found;
    const std::string prefix = directory + "/";
    for (const auto& [path, bytes] : files_) {
      if (!path.starts_with(prefix)) continue;
      const std::string rest = path.substr(prefix.size());
      const std::size_t slash = rest.find('/');
      const std::string name = rest.substr(0, slash);
      found[name] = {name,
                     slash == std::string::npos ? static_cast<std::int64_t>(bytes->size()) : 0,
                     slash != std::string::npos};
    }
    std::vector<io::DirectoryEntry> entries;
    for (auto& [name, entry] : found) entries.push_back(entry);
    return entries;
  }
  Result<bool> exists(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    return files_.contains(path) || std::ranges::any_of(files_, [&](const auto& f) {
             return f.first.starts_with(path + "/");
           });
  }
  Result<void> create_directories(const std::string&) override { return {}; }
  Result<void> remove(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (files_.erase(path) == 0) return make_error(ErrorCode::kNotFound, path + ": no such file");
    return {};
  }
  Result<void> remove_recursively(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(
        files_, [&](const auto& f) { return f.first == path || f.first.starts_with(path + "/"); });
    return {};
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    const auto it = files_.find(from);
    if (it == files_.end()) return make_error(ErrorCode::kNotFound, from + ": no such file");
    files_[to] = it->second;
    files_.erase(it);
    return {};
  }
  Result<void> sync_directory(const std::string&) override { return {}; }
  Result<io::DiskSpace> space(const std::string&) override {
    return io::DiskSpace{1 << 30, space_left < 0 ? 1 << 30 : space_left};
  }

 private:
  class MemoryFile final : public io::File {
   public:
    MemoryFile(MemoryFileSystem& fs, std::string path, Bytes bytes)
        : fs_(fs), path_(std::move(path)), bytes_(std::move(bytes)) {}
    const std::string& path() const override { return path_; }
    Result<std::int64_t> size() override { return static_cast<std::int64_t>(bytes_->size()); }
    using io::File::write_at;
    Result<void> write_at(std::int64_t offset, std::span<const io::Slice> slices) override {
      auto at = static_cast<std::size_t>(offset);
      for (const io::Slice& s : slices) {
        if (bytes_->size() < at + s.size) bytes_->resize(at + s.size);
        std::memcpy(bytes_->data() + at, s.data, s.size);
        fs_.written += s.size;
        at += s.size;
      }
      return {};
    }
    Result<std::size_t> read_at(std::int64_t offset, std::span<char> out) override {
      const auto at = static_cast<std::size_t>(offset);
      if (at >= bytes_->size()) return std::size_t{0};
      const std::size_t n = std::min(out.size(), bytes_->size() - at);
      std::memcpy(out.data(), bytes_->data() + at, n);
      return n;
    }
    Result<std::optional<std::size_t>> try_read_at(std::int64_t offset,
                                                   std::span<char> out) override {
      auto n = read_at(offset, out);
      if (!n) return std::unexpected(n.error());
      return *n;
    }
    Result<void> sync() override {
      ++fs_.syncs;
      return {};
    }
    Result<std::unique_ptr<io::File>> reopen() override {
      return std::make_unique<MemoryFile>(fs_, path_, bytes_);
    }
    Result<void> allocate(std::int64_t bytes) override {
      const std::int64_t more = bytes - static_cast<std::int64_t>(bytes_->size());
      if (fs_.space_left >= 0 && more > fs_.space_left)
        return make_error(ErrorCode::kDiskFull, path_ + ": no space");
      if (fs_.space_left >= 0) fs_.space_left -= std::max<std::int64_t>(more, 0);
      return truncate(bytes);
    }
    Result<void> truncate(std::int64_t bytes) override {
      bytes_->resize(static_cast<std::size_t>(bytes));
      return {};
    }
    Result<void> zero(std::int64_t offset, std::int64_t bytes) override {
      std::fill_n(bytes_->begin() + offset, bytes, '\0');
      return {};
    }

   private:
    MemoryFileSystem& fs_;
    const std::string path_;
    Bytes bytes_;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Bytes> files_;
};

}  // namespace gantry::testing
