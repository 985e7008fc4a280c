// SPDX-License-Identifier: Apache-2.0
#include "replog/log_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <mutex>

namespace gantry::replog {
std::string position_file_name(std::int64_t position) { return fmt::format("{:020}", position); }

std::optional<std::int64_t> parse_position_file_name(std::string_view name) {
  std::int64_t position = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), position);
  if (name.size() != 20 || error != std::errc{} || end != name.data() + name.size() ||
      position < 0) {
    return std::nullopt;
  }
  return position;
}

Result<std::unique_ptr<LogFiles>> LogFiles::open(io::FileSystem& fs, Options options) {
  std::unique_ptr<LogFiles> log(new LogFiles(fs, std::move(options)));
  const std::string& dir = log->options_.directory;
  const std::int64_t file_bytes = log->options_.file_bytes;
  GANTRY_TRY(io::create_directories_durably(fs, dir));
  const auto entries = fs.list(dir);
  if (!entries) return std::unexpected(entries.error());
  for (const io::DirectoryEntry& entry : *entries) {
    const std::string path = dir + "/" + entry.name;
    const auto start = parse_position_file_name(entry.name);
    if (!start) {
      if (entry.is_directory) continue;
      if (entry.name.ends_with(".tmp")) {  // never got its name
        GANTRY_TRY(fs.remove(path));
        continue;
      }
      return make_error(ErrorCode::kUnsupported,
                        fmt::format("{}: not a CommitLog file (20 digits); move it away", path));
    }
    // A file whose allocation was interrupted holds nothing: sizes grow before content comes.
    if (entry.size != file_bytes) {
      const bool last = &entry == &entries->back();
      if (last && entry.size < file_bytes && !log->files_.empty()) {
        GANTRY_TRY(fs.remove(path));
        continue;
      }
      return make_error(
          ErrorCode::kUnsupported,
          fmt::format("{} has {} bytes, mappedFileSizeCommitLog says {}: set "
                      "mappedFileSizeCommitLog to the size the store was created with",
                      path, entry.size, file_bytes));
    }
    if (!log->files_.empty() && log->files_.back().start + file_bytes != LogPosition(*start)) {
      return make_error(ErrorCode::kCorrupt,
                        fmt::format("{}: a CommitLog file is missing before it, expected {}", path,
                                    position_file_name(log->end().v)));
    }
    if (*start % file_bytes != 0) {
      return make_error(
          ErrorCode::kCorrupt,
          fmt::format("{}: name is not a multiple of the file size {}", path, file_bytes));
    }
    auto file = fs.open(path, io::OpenMode::kReadWrite);
    if (!file) return std::unexpected(file.error());
    log->files_.push_back({LogPosition(*start), std::move(*file)});
  }
  log->naming_->end = log->end();
  return log;
}

LogPosition LogFiles::begin() const { return files_.empty() ? base_ : files_.front().start; }

LogPosition LogFiles::end() const {
  return files_.empty() ? base_ : files_.back().start + options_.file_bytes;
}

LogPosition LogFiles::file_start(LogPosition position) const {
  return LogPosition(position.v - position.v % options_.file_bytes);
}

const LogFiles::Entry* LogFiles::find(LogPosition position) const {
  if (files_.empty() || position < begin() || position >= end()) return nullptr;
  return &files_[static_cast<std::size_t>((position - begin()) / options_.file_bytes)];
}

Result<void> LogFiles::extend() {
  NextFile next = next_file();
  GANTRY_TRY(next.make());
  adopt(std::move(next));
  return {};
}

LogFiles::NextFile LogFiles::next_file() {
  NextFile next;
  next.fs = &fs_;
  next.directory = options_.directory;
  next.start = end();
  next.bytes = options_.file_bytes;
  next.attempt = ++attempts_;
  next.cuts = naming_->cuts;
  next.naming = naming_;
  return next;
}

Result<void> LogFiles::NextFile::make() {
  const std::string path = directory + "/" + position_file_name(start.v);
  const std::string temporary = fmt::format("{}.{}.tmp", path, attempt);
  auto opened = fs->open(temporary, io::OpenMode::kCreate);
  if (!opened) return std::unexpected(opened.error());
  if (auto allocated = (*opened)->allocate(bytes); !allocated) {
    opened->reset();
    ignore_result(fs->remove(temporary), "the allocation error is what matters");
    return allocated;
  }
  GANTRY_TRY((*opened)->sync());
  {
    const std::lock_guard lock(naming->mutex);
    const auto exists = fs->exists(path);
    if (!exists) return std::unexpected(exists.error());
    if (naming->cuts != cuts || (!*exists && naming->end != start)) {
      ignore_result(fs->remove(temporary), "it is not the next file any more");
      return make_error(ErrorCode::kConflict, path + ": not the next file any more");
    }
    if (*exists) {
      ignore_result(fs->remove(temporary), "another thread made the file first and took the name");
    } else {
      GANTRY_TRY(fs->rename(temporary, path));
    }
  }
  GANTRY_TRY(fs->sync_directory(directory));
  auto file_result = fs->open(path, io::OpenMode::kReadWrite);
  if (!file_result) return std::unexpected(file_result.error());
  file = std::move(*file_result);
  return {};
}

void LogFiles::adopt(NextFile next) {
  if (!next.file || next.start != end() || next.cuts != naming_->cuts) return;
  files_.push_back({next.start, std::move(next.file)});
  const std::lock_guard lock(naming_->mutex);
  naming_->end = end();
}

// Files that were made, but not adopted before a cut; with naming_->mutex.
Result<void> LogFiles::remove_unadopted() {
  const auto entries = fs_.list(options_.directory);
  if (!entries) return std::unexpected(entries.error());
  for (const io::DirectoryEntry& entry : *entries) {
    const auto start = parse_position_file_name(entry.name);
    if (!start || find(LogPosition(*start)) != nullptr) continue;
    GANTRY_TRY(fs_.remove(options_.directory + "/" + entry.name));
  }
  return fs_.sync_directory(options_.directory);
}

Result<void> LogFiles::write(LogPosition position, std::span<const io::Slice> slices) {
  const Entry* entry = find(position);
  if (entry == nullptr) {
    return make_error(ErrorCode::kNotFound,
                      fmt::format("no CommitLog file for position {}", position.v));
  }
  return entry->file->write_at(position - entry->start, slices);
}

Result<std::size_t> LogFiles::read(LogPosition position, std::span<char> out) const {
  const Entry* entry = find(position);
  if (entry == nullptr) {
    return make_error(ErrorCode::kNotFound,
                      fmt::format("no CommitLog file for position {}", position.v));
  }
  return entry->file->read_at(position - entry->start, out);
}

Result<std::optional<std::size_t>> LogFiles::try_read(LogPosition position,
                                                      std::span<char> out) const {
  const Entry* entry = find(position);
  if (entry == nullptr) {
    return make_error(ErrorCode::kNotFound,
                      fmt::format("no CommitLog file for position {}", position.v));
  }
  return entry->file->try_read_at(position - entry->start, out);
}

std::shared_ptr<io::File> LogFiles::file_at(LogPosition position) const {
  const Entry* entry = find(position);
  return entry == nullptr ? nullptr : entry->file;
}

std::vector<std::shared_ptr<io::File>> LogFiles::files_in(LogPosition from, LogPosition to) const {
  std::vector<std::shared_ptr<io::File>> result;
  for (const Entry& entry : files_) {
    if (entry.start < to && from < entry.start + options_.file_bytes) result.push_back(entry.file);
  }
  return result;
}

Result<std::int64_t> LogFiles::remove_before(LogPosition position) {
  std::int64_t freed = 0;
  while (files_.size() > 2 && files_.front().start + options_.file_bytes <= position) {
    GANTRY_TRY(fs_.remove(files_.front().file->path()));
    files_.pop_front();
    freed += options_.file_bytes;
  }
  if (freed > 0) GANTRY_TRY(fs_.sync_directory(options_.directory));
  return freed;
}

Result<void> LogFiles::restart_at(LogPosition begin) {
  const std::lock_guard lock(naming_->mutex);
  ++naming_->cuts;
  GANTRY_TRY(remove_unadopted());
  // From the newest on: what a crash in between leaves is a log without gaps.
  while (!files_.empty()) {
    GANTRY_TRY(fs_.remove(files_.back().file->path()));
    files_.pop_back();
  }
  GANTRY_TRY(fs_.sync_directory(options_.directory));
  base_ = naming_->end = begin;
  return {};
}

Result<void> LogFiles::cut(LogPosition position) {
  const std::lock_guard lock(naming_->mutex);
  ++naming_->cuts;
  GANTRY_TRY(remove_unadopted());
  while (!files_.empty() && files_.back().start >= position && files_.size() > 1) {
    GANTRY_TRY(fs_.remove(files_.back().file->path()));
    files_.pop_back();
  }
  naming_->end = end();
  GANTRY_TRY(fs_.sync_directory(options_.directory));
  if (files_.empty()) return {};
  const Entry& last = files_.back();
  const std::int64_t from = std::max<std::int64_t>(position - last.start, 0);
  GANTRY_TRY(last.file->zero(from, options_.file_bytes - from));
  return last.file->sync();
}

}  // namespace gantry::replog
