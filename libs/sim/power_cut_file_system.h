// SPDX-License-Identifier: Apache-2.0
// A disk in memory whose power can be cut. What was not synced may be there afterwards or not:
//
//   bytes        per page of 4 KiB kept, lost or torn (each 512-byte sector kept or lost)
//   file sizes   the new or the synced one
//   directories  creations, renames and removals of one directory take effect in order, so a prefix
//                of the unsynced ones is kept (as journalling file systems do)
//
// after_power_cut() makes the disk that the next boot finds; the running one is not disturbed, so a
// test may cut while threads write. `before` sees every operation that changes something, and its
// error becomes the operation's: for faults, for the order of operations, and for cutting in the
// middle. Thread-safe.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "io/file_system.h"

namespace gantry::testing {

enum class DiskOperation : std::uint8_t { kWrite, kSync, kResize, kCreate, kRemove, kRename };

class PowerCutFileSystem final : public io::FileSystem {
 public:
  static constexpr std::size_t kPageBytes = 4096;
  static constexpr std::size_t kSectorBytes = 512;

  // Called without a lock, on the thread of the operation; set it while no other thread is at work.
  std::function<Result<void>(DiskOperation, const std::string& path)> before;

  // What the next boot finds, chosen by `seed`.
  std::unique_ptr<PowerCutFileSystem> after_power_cut(std::uint32_t seed) const {
    const std::lock_guard lock(mutex_);
    std::mt19937 random(seed);
    auto next = std::make_unique<PowerCutFileSystem>();
    next->boot_ = boot_ + 1;
    Directories kept = synced_;
    for (const auto& [directory, changes] : unsynced_) {
      const std::size_t count = random() % (changes.size() + 1);
      for (std::size_t i = 0; i < count; ++i) changes[i].apply(kept);
    }
    keep_reachable("", kept, random, *next);
    next->synced_ = next->directories_;
    return next;
  }

  // The bytes that a reader sees now; nullopt when there is no such file.
  std::optional<std::string> bytes(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const NodePtr node = find(path);
    if (!node || node->is_directory) return std::nullopt;
    return node->bytes;
  }
  std::vector<std::string> names(const std::string& directory) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> result;
    const auto it = directories_.find(directory);
    if (it == directories_.end()) return result;
    for (const auto& [name, node] : it->second) result.push_back(name);
    return result;
  }
  // Changes a byte behind everybody's back, as a failing disk does.
  void overwrite(const std::string& path, std::size_t at, std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    const NodePtr node = find(path);
    bytes.copy(node->bytes.data() + at, bytes.size());
    bytes.copy(node->synced.data() + at, bytes.size());
  }

  std::string boot_id() override { return "boot-" + std::to_string(boot_); }

  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override {
    if (mode == io::OpenMode::kCreate && !exists_now(path)) {
      GANTRY_TRY(ask(DiskOperation::kCreate, path));
    }
    const std::lock_guard lock(mutex_);
    NodePtr node = find(path);
    if (!node) {
      const std::string parent = io::parent_directory(path);
      if (mode != io::OpenMode::kCreate || !directory(parent)) return no_such(path);
      node = std::make_shared<Node>();
      change(parent, {name_of(path), node});
    }
    if (node->is_directory) return make_error(ErrorCode::kIo, path + ": is a directory");
    return std::make_unique<CutFile>(*this, path, node);
  }

  Result<std::vector<io::DirectoryEntry>> list(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (!directory(path)) return no_such(path);
    std::vector<io::DirectoryEntry> entries;
    for (const auto& [name, node] : directories_[path]) {
      entries.push_back({name, static_cast<std::int64_t>(node->bytes.size()), node->is_directory});
    }
    return entries;
  }
  Result<bool> exists(const std::string& path) override { return exists_now(path); }

  Result<void> create_directories(const std::string& path) override {
    if (exists_now(path)) return {};
    const std::string parent = io::parent_directory(path);
    if (parent != path) GANTRY_TRY(create_directories(parent));
    GANTRY_TRY(ask(DiskOperation::kCreate, path));
    const std::lock_guard lock(mutex_);
    auto node = std::make_shared<Node>();
    node->is_directory = true;
    directories_[path];
    change(parent, {name_of(path), node});
    return {};
  }
  Result<void> remove(const std::string& path) override {
    GANTRY_TRY(ask(DiskOperation::kRemove, path));
    const std::lock_guard lock(mutex_);
    const NodePtr node = find(path);
    if (!node) return no_such(path);
    if (node->is_directory) return make_error(ErrorCode::kIo, path + ": is a directory");
    change(io::parent_directory(path), {name_of(path), nullptr});
    return {};
  }
  Result<void> remove_recursively(const std::string& path) override {
    const auto entries = list(path);
    if (entries) {
      for (const io::DirectoryEntry& entry : *entries) {
        GANTRY_TRY(remove_recursively(path + "/" + entry.name));
      }
    } else if (!exists_now(path)) {
      return {};
    }
    GANTRY_TRY(ask(DiskOperation::kRemove, path));
    const std::lock_guard lock(mutex_);
    directories_.erase(path);
    change(io::parent_directory(path), {name_of(path), nullptr});
    return {};
  }
  // Files only; both names in one directory.
  Result<void> rename(const std::string& from, const std::string& to) override {
    GANTRY_TRY(ask(DiskOperation::kRename, to));
    const std::lock_guard lock(mutex_);
    const NodePtr node = find(from);
    const std::string parent = io::parent_directory(to);
    if (!node || node->is_directory || parent != io::parent_directory(from)) return no_such(from);
    change(parent, {name_of(to), node, name_of(from)});
    return {};
  }
  Result<void> sync_directory(const std::string& path) override {
    GANTRY_TRY(ask(DiskOperation::kSync, path));
    const std::lock_guard lock(mutex_);
    if (!directory(path)) return no_such(path);
    for (const Change& c : unsynced_[path]) c.apply(synced_);
    unsynced_.erase(path);
    return {};
  }
  Result<io::DiskSpace> space(const std::string&) override {
    return io::DiskSpace{1LL << 40, 1LL << 39};
  }

 private:
  struct Node {
    bool is_directory = false;
    std::string bytes;            // what readers see
    std::string synced;           // what a power cut leaves at least
    std::set<std::size_t> dirty;  // pages that differ in between
  };
  using NodePtr = std::shared_ptr<Node>;
  using Directories = std::map<std::string, std::map<std::string, NodePtr>>;

  // One step in a directory: `name` becomes `node` (null: is gone), `old_name` goes in the same
  // step.
  struct Change {
    std::string name;
    NodePtr node;
    std::string old_name = {};
    std::string directory = {};

    void apply(Directories& to) const {
      auto& entries = to[directory];
      if (!old_name.empty()) entries.erase(old_name);
      if (node) {
        entries[name] = node;
      } else {
        entries.erase(name);
      }
    }
  };

  class CutFile final : public io::File {
   public:
    CutFile(PowerCutFileSystem& fs, std::string path, NodePtr node)
        : fs_(fs), path_(std::move(path)), node_(std::move(node)) {}
    const std::string& path() const override { return path_; }
    Result<std::int64_t> size() override {
      const std::lock_guard lock(fs_.mutex_);
      return static_cast<std::int64_t>(node_->bytes.size());
    }
    using io::File::write_at;
    Result<void> write_at(std::int64_t offset, std::span<const io::Slice> slices) override {
      GANTRY_TRY(fs_.ask(DiskOperation::kWrite, path_));
      const std::lock_guard lock(fs_.mutex_);
      auto at = static_cast<std::size_t>(offset);
      for (const io::Slice& s : slices) {
        if (s.size == 0) continue;
        if (node_->bytes.size() < at + s.size) node_->bytes.resize(at + s.size);
        std::memcpy(node_->bytes.data() + at, s.data, s.size);
        touch(at, s.size);
        at += s.size;
      }
      return {};
    }
    Result<std::size_t> read_at(std::int64_t offset, std::span<char> out) override {
      const std::lock_guard lock(fs_.mutex_);
      const auto at = static_cast<std::size_t>(offset);
      if (at >= node_->bytes.size()) return std::size_t{0};
      return node_->bytes.copy(out.data(), out.size(), at);
    }
    Result<std::optional<std::size_t>> try_read_at(std::int64_t offset,
                                                   std::span<char> out) override {
      auto n = read_at(offset, out);
      if (!n) return std::unexpected(n.error());
      return *n;
    }
    Result<void> sync() override {
      GANTRY_TRY(fs_.ask(DiskOperation::kSync, path_));
      const std::lock_guard lock(fs_.mutex_);
      node_->synced.resize(node_->bytes.size());
      for (const std::size_t page : node_->dirty) {
        const std::size_t at = page * kPageBytes;
        if (at >= node_->bytes.size()) continue;
        node_->bytes.copy(node_->synced.data() + at, std::min(kPageBytes, node_->bytes.size() - at),
                          at);
      }
      node_->dirty.clear();
      return {};
    }
    Result<std::unique_ptr<io::File>> reopen() override {
      return std::make_unique<CutFile>(fs_, path_, node_);
    }
    Result<void> allocate(std::int64_t bytes) override {
      if (bytes <= size().value_or(0)) return {};
      return truncate(bytes);
    }
    Result<void> truncate(std::int64_t bytes) override {
      GANTRY_TRY(fs_.ask(DiskOperation::kResize, path_));
      const std::lock_guard lock(fs_.mutex_);
      const std::size_t old = node_->bytes.size();
      node_->bytes.resize(static_cast<std::size_t>(bytes));
      if (node_->bytes.size() > old && node_->synced.size() > old) {
        touch(old, node_->bytes.size() - old);  // zeros over what was cut off before
      }
      return {};
    }
    Result<void> zero(std::int64_t offset, std::int64_t bytes) override {
      GANTRY_TRY(fs_.ask(DiskOperation::kWrite, path_));
      if (bytes <= 0) return {};
      const std::lock_guard lock(fs_.mutex_);
      const auto at = static_cast<std::size_t>(offset);
      const auto count = static_cast<std::size_t>(bytes);
      if (node_->bytes.size() < at + count) node_->bytes.resize(at + count);
      std::memset(node_->bytes.data() + at, 0, count);
      touch(at, count);
      return {};
    }

   private:
    void touch(std::size_t at, std::size_t count) {
      for (std::size_t page = at / kPageBytes; page <= (at + count - 1) / kPageBytes; ++page) {
        node_->dirty.insert(page);
      }
    }

    PowerCutFileSystem& fs_;
    const std::string path_;
    const NodePtr node_;
  };

  static std::unexpected<Error> no_such(const std::string& path) {
    return make_error(ErrorCode::kNotFound, path + ": no such file or directory");
  }
  static std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

  Result<void> ask(DiskOperation operation, const std::string& path) {
    return before ? before(operation, path) : Result<void>{};
  }
  bool directory(const std::string& path) const {
    return path == "/" || directories_.contains(path);
  }
  NodePtr find(const std::string& path) const {
    const auto it = directories_.find(io::parent_directory(path));
    if (it == directories_.end()) return nullptr;
    const auto entry = it->second.find(name_of(path));
    return entry == it->second.end() ? nullptr : entry->second;
  }
  bool exists_now(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    return directory(path) || find(path) != nullptr;
  }
  void change(const std::string& parent, Change c) {
    c.directory = parent;
    c.apply(directories_);
    unsynced_[parent].push_back(std::move(c));
  }

  // Copies what `kept` holds below `path` to `to`, with the bytes that survive.
  static void keep_reachable(const std::string& path, const Directories& kept, std::mt19937& random,
                             PowerCutFileSystem& to) {
    const std::string key = path.empty() ? "/" : path;
    auto& entries = to.directories_[key];
    const auto it = kept.find(key);
    if (it == kept.end()) return;
    for (const auto& [name, node] : it->second) {
      auto copy = std::make_shared<Node>();
      copy->is_directory = node->is_directory;
      if (node->is_directory) {
        keep_reachable(path + "/" + name, kept, random, to);
      } else {
        copy->bytes = copy->synced = survive(*node, random);
      }
      entries[name] = copy;
    }
  }

  static std::string survive(const Node& node, std::mt19937& random) {
    std::string result = node.synced;
    if (node.bytes.size() != node.synced.size() && random() % 2 == 0) {
      result.resize(node.bytes.size());
    }
    // Some cuts keep nearly everything, some nearly nothing.
    const auto kept_percent = random() % 101;
    const auto keep = [&](std::size_t at, std::size_t count) {
      if (at >= result.size() || at >= node.bytes.size()) return;
      count = std::min({count, result.size() - at, node.bytes.size() - at});
      node.bytes.copy(result.data() + at, count, at);
    };
    for (const std::size_t page : node.dirty) {
      if (random() % 10 == 0) {
        for (std::size_t s = 0; s < kPageBytes; s += kSectorBytes) {
          if (random() % 2 == 0) keep(page * kPageBytes + s, kSectorBytes);
        }
      } else if (random() % 100 < kept_percent) {
        keep(page * kPageBytes, kPageBytes);
      }
    }
    return result;
  }

  mutable std::mutex mutex_;
  int boot_ = 1;
  Directories directories_{{"/", {}}};  // what everybody sees
  Directories synced_{{"/", {}}};
  std::map<std::string, std::vector<Change>> unsynced_;
};

}  // namespace gantry::testing
