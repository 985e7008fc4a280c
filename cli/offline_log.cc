// SPDX-License-Identifier: Apache-2.0
#include "cli/offline_log.h"

#include <fmt/core.h>

#include <algorithm>

#include "state/snapshot_store.h"
#include "state/state_machine.h"

namespace gantry::cli {
namespace {

constexpr std::string_view kSnapshotPrefix = "state-";

std::unexpected<Error> read_only(std::string_view what, const std::string& path) {
  return make_error(ErrorCode::kUnsupported,
                    fmt::format("{} {}: opened for reading only", what, path));
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// The size of the log's files, which all have the same; nullopt when there is none.
Result<std::optional<std::int64_t>> log_file_bytes(io::FileSystem& fs,
                                                   const std::string& directory) {
  const auto entries = fs.list(directory);
  if (!entries) return std::unexpected(entries.error());
  for (const io::DirectoryEntry& entry : *entries) {
    if (!entry.is_directory && replog::parse_position_file_name(entry.name)) return entry.size;
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<io::File>> ReadOnlyFileSystem::open(const std::string& path,
                                                           io::OpenMode mode) {
  if (mode == io::OpenMode::kCreate) return read_only("create", path);
  return files_.open(path, io::OpenMode::kRead);
}

Result<std::vector<io::DirectoryEntry>> ReadOnlyFileSystem::list(const std::string& directory) {
  return files_.list(directory);
}

Result<bool> ReadOnlyFileSystem::exists(const std::string& path) { return files_.exists(path); }

Result<void> ReadOnlyFileSystem::create_directories(const std::string& path) {
  const auto there = files_.exists(path);
  if (!there) return std::unexpected(there.error());
  if (*there) return {};
  return make_error(ErrorCode::kNotFound, fmt::format("there is no directory {}", path));
}

Result<void> ReadOnlyFileSystem::remove(const std::string& path) {
  left_alone_.push_back(path);
  return {};
}

Result<void> ReadOnlyFileSystem::remove_recursively(const std::string& path) {
  return read_only("remove", path);
}

Result<void> ReadOnlyFileSystem::rename(const std::string& from, const std::string& /*to*/) {
  return read_only("rename", from);
}

Result<void> ReadOnlyFileSystem::sync_directory(const std::string& /*path*/) { return {}; }

Result<io::DiskSpace> ReadOnlyFileSystem::space(const std::string& path) {
  return files_.space(path);
}

OfflineLog::OfflineLog() : fs_(io::posix_file_system()) {}

Result<std::unique_ptr<OfflineLog>> OfflineLog::open(const std::string& directory, bool live) {
  std::unique_ptr<OfflineLog> self(new OfflineLog);
  std::string root = without_slash(directory);
  const auto there = self->fs_.exists(root);
  if (!there) return std::unexpected(there.error());
  if (!*there) {
    return make_error(ErrorCode::kNotFound, fmt::format("there is no directory {}", root));
  }
  std::string log_directory = root + "/commitlog";
  const auto nested = self->fs_.exists(log_directory);
  if (!nested) return std::unexpected(nested.error());
  if (!*nested) {
    log_directory = root;
    root = io::parent_directory(root);
  }
  const auto file_bytes = log_file_bytes(self->fs_, log_directory);
  if (!file_bytes) return std::unexpected(file_bytes.error());
  if (!*file_bytes) {
    return make_error(ErrorCode::kNotFound,
                      fmt::format("{} holds no CommitLog files (20 digits)", log_directory));
  }
  GANTRY_TRY(self->lock(root, live));
  auto log = replog::LogFiles::open(self->fs_, {log_directory, **file_bytes});
  if (!log) return std::unexpected(std::move(log).error());
  self->log_ = std::move(*log);
  for (const std::string& path : self->fs_.left_alone()) {
    self->remarks_.push_back(fmt::format("{} is not of full size and is left out", path));
  }
  self->load_epochs(root + "/raft");
  return self;
}

Result<void> OfflineLog::lock(const std::string& root, bool live) {
  const auto used_before = fs_.exists(root + "/lock");
  if (!used_before) return std::unexpected(used_before.error());
  if (!*used_before) return {};  // a copy: no broker can be using it
  auto lock = io::DirectoryLock::acquire(root);
  if (lock) {
    lock_ = std::move(*lock);
    return {};
  }
  if (lock.error().code != ErrorCode::kConflict) {
    remarks_.push_back(fmt::format("not locked: {}", lock.error().message));
    return {};
  }
  if (live) {
    remarks_.emplace_back("a broker is using the store: the end of the log may move");
    return {};
  }
  return make_error(ErrorCode::kConflict, fmt::format("a broker is using the store {}", root));
}

void OfflineLog::load_epochs(const std::string& raft_directory) {
  const auto there = fs_.exists(raft_directory);
  if (!there || !*there) return;  // a store of Apache RocketMQ
  auto entries = fs_.list(raft_directory);
  if (!entries) {
    remarks_.push_back(entries.error().message);
    return;
  }
  std::ranges::reverse(*entries);  // newest first: names sort by position
  for (const io::DirectoryEntry& entry : *entries) {
    if (entry.is_directory || !entry.name.starts_with(kSnapshotPrefix) ||
        entry.name.ends_with(".tmp")) {
      continue;
    }
    const auto file = io::read_file(fs_, raft_directory + "/" + entry.name);
    auto snapshot =
        file ? state::SnapshotStore::decode(*file)
             : Result<std::pair<LogPosition, std::string_view>>(std::unexpected(file.error()));
    state::StateMachine machine;
    auto loaded = snapshot ? machine.load_snapshot(snapshot->second)
                           : Result<void>(std::unexpected(snapshot.error()));
    if (!loaded) {
      remarks_.push_back(fmt::format("snapshot {}: {}", entry.name, loaded.error().message));
      continue;
    }
    for (const state::Epoch& epoch : machine.epochs().all()) {
      epochs_.add({epoch.term, epoch.start, (epoch.flags & state::kEpochApache) != 0});
    }
    return;
  }
}

}  // namespace gantry::cli
