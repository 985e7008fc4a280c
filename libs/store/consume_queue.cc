// SPDX-License-Identifier: Apache-2.0
#include "store/consume_queue.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/bytes.h"
#include "replog/log_files.h"

namespace gantry::store {
namespace {

constexpr std::size_t kWriteBackEntries = 4096;
constexpr std::size_t kKeepEntries = 256;
constexpr std::int64_t kScanEntries = 3000;  // a part of a file's 300,000
constexpr std::size_t kEntry = ConsumeQueue::kEntryBytes;

void encode(const QueueEntry& entry, char* p) {
  store_be<std::int64_t>(p, entry.position.v);
  store_be<std::int32_t>(p + 8, entry.size);
  store_be<std::int64_t>(p + 12, entry.tags_code);
}

QueueEntry decode(const char* p) {
  return {LogPosition(load_be<std::int64_t>(p)), load_be<std::int32_t>(p + 8),
          load_be<std::int64_t>(p + 12)};
}

// The first of [from, to) for which pred is false, pred being true before and false after.
template <class Pred>
Result<QueueOffset> partition_point(QueueOffset from, QueueOffset to, Pred&& pred) {
  while (from < to) {
    const QueueOffset middle = from + (to - from) / 2;
    const Result<bool> before = pred(middle);
    if (!before) return std::unexpected(before.error());
    if (*before) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return from;
}

}  // namespace

ConsumeQueue::ConsumeQueue(io::FileSystem& fs, std::string directory, std::int64_t file_bytes)
    : fs_(fs), directory_(std::move(directory)), file_bytes_(file_bytes) {}

Result<void> ConsumeQueue::load(LogPosition log_begin, LogPosition log_applied, bool writes_lost) {
  const auto exists = fs_.exists(directory_);
  if (!exists) return std::unexpected(exists.error());
  if (!*exists) return {};
  directory_inherited_ = true;
  const auto entries = fs_.list(directory_);
  if (!entries) return std::unexpected(entries.error());
  for (const io::DirectoryEntry& entry : *entries) {
    const auto start = replog::parse_position_file_name(entry.name);
    if (!start || *start % file_bytes_ != 0) continue;
    if (!files_.empty() && files_.back() + file_bytes_ != *start)
      files_.clear();  // a hole: rebuild
    files_.push_back(*start);
  }
  if (files_.empty()) return {};
  const auto end = writes_lost ? end_among_pieces(log_applied) : end_of_whole(log_applied);
  if (!end) return std::unexpected(end.error());
  min_ = QueueOffset(files_.front() / kEntryBytes);
  max_ = next_ = written_ = tail_start_ = *end;
  GANTRY_TRY(erase_behind_max(writes_lost));
  return trim(log_begin);
}

Result<bool> ConsumeQueue::lies_below(QueueOffset offset, LogPosition log_applied) {
  const auto entry = read_disk(offset);
  if (!entry) return std::unexpected(entry.error());
  return entry->size > 0 && entry->position < log_applied;
}

// Nothing that was written is missing: entries lie in the order of their positions.
Result<QueueOffset> ConsumeQueue::end_of_whole(LogPosition log_applied) {
  const QueueOffset first(files_.front() / kEntryBytes);
  const QueueOffset limit((files_.back() + file_bytes_) / kEntryBytes);
  return partition_point(first, limit, [&](QueueOffset i) { return lies_below(i, log_applied); });
}

// Behind what was synced anything may be there: zeros, whole entries, and such of which a part is
// missing, so that a position looks lower than it is. The first entry of a file is whole or zero,
// as no block of a disk ends in it; from there on the first that does not follow the one before is
// the end. Blanks belong to the entry behind them.
Result<QueueOffset> ConsumeQueue::end_among_pieces(LogPosition log_applied) {
  std::size_t file = files_.size() - 1;
  while (file > 0) {
    QueueOffset real(files_[file] / kEntryBytes);
    for (auto entry = read_disk(real); entry && entry->blank(); entry = read_disk(real)) ++real;
    const auto below = lies_below(real, log_applied);
    if (!below) return std::unexpected(below.error());
    if (*below) break;
    --file;
  }
  const QueueOffset first(files_[file] / kEntryBytes);
  QueueOffset end = first;
  LogPosition before(-1);
  std::string bytes(kScanEntries * kEntry, '\0');
  for (QueueOffset at = first; at - first < entries_per_file(); at = at + kScanEntries) {
    auto opened = file_for(at.v * kEntryBytes, false);
    if (!opened) return std::unexpected(opened.error());
    const auto n = (*opened)->read_at(at.v * kEntryBytes - open_start_, bytes);
    if (!n) return std::unexpected(n.error());
    for (std::size_t i = 0; i < *n / kEntry; ++i) {
      const QueueEntry entry = decode(bytes.data() + i * kEntry);
      if (entry.blank()) continue;
      if (entry.size <= 0 || entry.position >= log_applied || entry.position <= before) return end;
      before = entry.position;
      end = at + static_cast<std::int64_t>(i) + 1;
    }
    if (*n < bytes.size()) break;
  }
  return end;
}

Result<void> ConsumeQueue::erase_behind_max(bool writes_lost) {
  const std::int64_t from = max_.v * kEntryBytes;
  while (files_.size() > 1 && files_.back() >= from) {
    if (open_start_ == files_.back()) {
      open_.reset();
      open_start_ = -1;
    }
    GANTRY_TRY(fs_.remove(directory_ + "/" + replog::position_file_name(files_.back())));
    files_.pop_back();
    directory_unsynced_ = true;
  }
  if (from >= files_.back() + file_bytes_) return {};
  auto file = file_for(from, false);
  if (!file) return std::unexpected(file.error());
  return zero_written(**file, from - files_.back(), writes_lost);
}

// Only what is not zero is overwritten: the rest has no blocks yet, and the disk may be full. What
// was not synced may be there in pieces after a power cut; else entries have no gap.
Result<void> ConsumeQueue::zero_written(io::File& file, std::int64_t at, bool writes_lost) {
  std::string bytes(64 << 10, '\0');
  while (at < file_bytes_) {
    const auto want = static_cast<std::size_t>(
        std::min<std::int64_t>(file_bytes_ - at, static_cast<std::int64_t>(bytes.size())));
    const auto n = file.read_at(at, {bytes.data(), want});
    if (!n) return std::unexpected(n.error());
    const std::string_view read(bytes.data(), *n);
    const std::size_t first = read.find_first_not_of('\0');
    if (first != std::string_view::npos) {
      const std::size_t last = read.find_last_not_of('\0');
      GANTRY_TRY(file.zero(at + static_cast<std::int64_t>(first),
                           static_cast<std::int64_t>(last - first + 1)));
      open_unsynced_ = true;
    }
    if (*n < want) {  // its size was lost
      open_unsynced_ = true;
      return file.truncate(file_bytes_);
    }
    if (first == std::string_view::npos && !writes_lost) return {};
    at += static_cast<std::int64_t>(want);
  }
  return {};
}

void ConsumeQueue::append(QueueOffset offset, const QueueEntry& entry) {
  if (offset < max_) return;
  if (max_.v == 0 && min_.v == 0 && files_.empty() && tail_.empty() && offset.v > 0) {
    // The first message of a queue whose beginning is gone (retention, or another member's log).
    const std::int64_t file_start = offset.v - offset.v % entries_per_file();
    max_ = written_ = tail_start_ = QueueOffset(file_start);
    min_ = offset;
  }
  if (tail_.empty()) tail_start_ = max_;
  while (max_ < offset) {
    tail_.resize(tail_.size() + kEntry);
    encode({LogPosition(0), QueueEntry::kBlankSize, 0}, tail_.data() + tail_.size() - kEntry);
    ++max_;
  }
  tail_.resize(tail_.size() + kEntry);
  encode(entry, tail_.data() + tail_.size() - kEntry);
  ++max_;
  next_ = std::max(next_, max_);
  if (static_cast<std::size_t>(max_ - written_) >= kWriteBackEntries) {
    ignore_result(write_back(), "entries stay in memory; the owner's next write_back reports it");
  }
}

Result<std::size_t> ConsumeQueue::read(QueueOffset from, std::span<QueueEntry> out) {
  if (from < min_ || from >= max_) return std::size_t{0};
  std::size_t count = 0;
  if (from < tail_start_) {
    const std::int64_t in_file = entries_per_file() - from.v % entries_per_file();
    const std::int64_t want =
        std::min({static_cast<std::int64_t>(out.size()), tail_start_ - from, in_file});
    char buffer[64 * kEntry];
    while (static_cast<std::int64_t>(count) < want) {
      const QueueOffset at = from + static_cast<std::int64_t>(count);
      const auto n = static_cast<std::size_t>(
          std::min<std::int64_t>(want - static_cast<std::int64_t>(count), 64));
      auto file = file_for(at.v * kEntryBytes, false);
      if (!file) return std::unexpected(file.error());
      const auto bytes = (*file)->read_at(at.v * kEntryBytes - open_start_, {buffer, n * kEntry});
      if (!bytes) return std::unexpected(bytes.error());
      if (*bytes < n * kEntry) {
        return make_error(ErrorCode::kCorrupt,
                          fmt::format("{} is shorter than {} bytes", (*file)->path(), file_bytes_));
      }
      for (std::size_t i = 0; i < n; ++i) out[count++] = decode(buffer + i * kEntry);
    }
    if (count < out.size() && from + static_cast<std::int64_t>(count) == tail_start_) {
      from = tail_start_;
    } else {
      return count;
    }
  }
  const auto skip = static_cast<std::size_t>(from - tail_start_);
  const std::size_t available = tail_.size() / kEntry;
  for (std::size_t i = skip; i < available && count < out.size(); ++i) {
    out[count++] = decode(tail_.data() + i * kEntry);
  }
  return count;
}

Result<QueueEntry> ConsumeQueue::at(QueueOffset offset) {
  QueueEntry entry;
  const auto n = read(offset, {&entry, 1});
  if (!n) return std::unexpected(n.error());
  if (*n == 0) {
    return make_error(ErrorCode::kNotFound, fmt::format("{}: no entry {}", directory_, offset.v));
  }
  return entry;
}

Result<QueueEntry> ConsumeQueue::read_disk(QueueOffset offset) {
  auto file = file_for(offset.v * kEntryBytes, false);
  if (!file) return std::unexpected(file.error());
  char bytes[kEntry] = {};
  const auto n = (*file)->read_at(offset.v * kEntryBytes - open_start_, bytes);
  if (!n) return std::unexpected(n.error());
  return *n == kEntry ? decode(bytes) : QueueEntry{};
}

Result<io::File*> ConsumeQueue::file_for(std::int64_t byte_offset, bool create) {
  const std::int64_t start = byte_offset - byte_offset % file_bytes_;
  if (open_ && open_start_ == start) return open_.get();
  const bool known = std::ranges::binary_search(files_, start);
  if (!known && !create) {
    return make_error(ErrorCode::kNotFound, fmt::format("{}: file {} is missing", directory_,
                                                        replog::position_file_name(start)));
  }
  if (!known) {
    GANTRY_TRY(fs_.create_directories(directory_));
    directory_unsynced_ = true;
  }
  const std::string path = directory_ + "/" + replog::position_file_name(start);
  auto file = fs_.open(path, known ? io::OpenMode::kReadWrite : io::OpenMode::kCreate);
  if (!file) return std::unexpected(file.error());
  if (!known) {
    GANTRY_TRY((*file)->truncate(file_bytes_));
    files_.insert(std::ranges::upper_bound(files_, start), start);
  }
  if (open_ && open_unsynced_) unsynced_.push_back(std::move(open_));
  open_unsynced_ = false;
  open_ = std::move(*file);
  open_start_ = start;
  return open_.get();
}

Result<void> ConsumeQueue::write_back() {
  while (written_ < max_) {
    const std::int64_t in_file = entries_per_file() - written_.v % entries_per_file();
    const std::int64_t n = std::min(max_ - written_, in_file);
    auto file = file_for(written_.v * kEntryBytes, true);
    if (!file) return std::unexpected(file.error());
    const auto skip = static_cast<std::size_t>(written_ - tail_start_) * kEntry;
    const std::string_view bytes(tail_.data() + skip, static_cast<std::size_t>(n) * kEntry);
    GANTRY_TRY((*file)->write_at(written_.v * kEntryBytes - open_start_, bytes));
    open_unsynced_ = true;
    written_ += n;
  }
  if (tail_.size() > kWriteBackEntries * kEntry) drop_memory(kKeepEntries);
  return {};
}

void ConsumeQueue::take_unsynced(std::vector<std::shared_ptr<io::File>>& files,
                                 std::vector<std::string>& directories) {
  for (auto& file : unsynced_) files.push_back(std::move(file));
  unsynced_.clear();
  if (open_unsynced_) {
    files.push_back(open_);
    open_unsynced_ = false;
  }
  if (directory_unsynced_ || directory_inherited_) {
    const std::string topic = io::parent_directory(directory_);
    directories.insert(directories.end(), {directory_, topic, io::parent_directory(topic)});
    directory_unsynced_ = directory_inherited_ = false;
  }
}

void ConsumeQueue::drop_memory(std::size_t keep_entries) {
  const auto written_in_tail = static_cast<std::size_t>(written_ - tail_start_);
  const std::size_t total = tail_.size() / kEntry;
  const std::size_t drop =
      std::min(written_in_tail, total > keep_entries ? total - keep_entries : 0);
  tail_.erase(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(drop * kEntry));
  tail_start_ += static_cast<std::int64_t>(drop);
}

void ConsumeQueue::relax() {
  if (dirty() || open_unsynced_ || !unsynced_.empty()) return;
  drop_memory(0);
  tail_.shrink_to_fit();
  open_.reset();
  open_start_ = -1;
}

Result<void> ConsumeQueue::trim(LogPosition log_begin) {
  if (min_ >= max_) return {};
  const auto first = at(min_);
  if (!first) return std::unexpected(first.error());
  if (first->position >= log_begin && !first->blank()) return {};
  const auto keep = partition_point(min_, max_, [&](QueueOffset i) -> Result<bool> {
    // A blank inside counts like the first real entry behind it.
    for (QueueOffset k = i; k < max_; ++k) {
      const auto entry = at(k);
      if (!entry) return std::unexpected(entry.error());
      if (!entry->blank()) return entry->position < log_begin;
    }
    return true;
  });
  if (!keep) return std::unexpected(keep.error());
  min_ = *keep;
  while (files_.size() > 1 && files_.front() + file_bytes_ <= min_.v * kEntryBytes) {
    if (open_start_ == files_.front()) {
      open_.reset();
      open_start_ = -1;
      open_unsynced_ = false;
    }
    GANTRY_TRY(fs_.remove(directory_ + "/" + replog::position_file_name(files_.front())));
    files_.erase(files_.begin());
  }
  return {};
}

Result<void> ConsumeQueue::destroy() {
  open_.reset();
  open_start_ = -1;
  open_unsynced_ = false;
  unsynced_.clear();
  tail_.clear();
  files_.clear();
  const auto exists = fs_.exists(directory_);
  if (!exists) return std::unexpected(exists.error());
  if (*exists) GANTRY_TRY(fs_.remove_recursively(directory_));
  return {};
}

}  // namespace gantry::store
