// SPDX-License-Identifier: Apache-2.0
#include "store/apache_index.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes.h"
#include "log/log.h"

namespace gantry::store {
namespace {

constexpr Logger kLog("keyindex");

constexpr std::size_t kNameDigits = 17;  // yyyyMMddHHmmssSSS
constexpr std::size_t kHeaderBytes = 40;
constexpr std::size_t kSlotBytes = 4;
constexpr std::size_t kEntryBytes = 20;
constexpr std::int64_t kMillisPerSecond = 1000;
// Links followed in one file: a damaged or flooded slot must not occupy the reader for minutes.
constexpr int kChainMax = 1 << 20;

struct Header {
  std::int64_t begin_ms = 0;
  std::int64_t end_ms = 0;
  LogPosition begin;
  LogPosition end;
  std::int32_t index_count = 0;  // the next entry's number; the first is 1
};

struct Entry {
  std::uint32_t hash = 0;
  LogPosition position;
  std::int32_t seconds = 0;  // after the header's begin_ms
  std::int32_t previous = 0;
};

bool is_index_name(std::string_view name) {
  return name.size() == kNameDigits &&
         std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

std::unexpected<Error> corrupt(const std::string& path, std::string message) {
  return make_error(ErrorCode::kCorrupt, fmt::format("{}: {}", path, message));
}

}  // namespace

class ApacheIndex::IndexFile {
 public:
  static Result<std::shared_ptr<const IndexFile>> open(const ApacheIndexOptions& options,
                                                       const std::string& path) {
    auto file = options.files->open(path, io::OpenMode::kRead);
    if (!file) return std::unexpected(std::move(file).error());
    auto opened = std::make_shared<IndexFile>(options, std::move(*file));
    GANTRY_TRY(opened->load());
    return opened;
  }

  IndexFile(const ApacheIndexOptions& options, std::unique_ptr<io::File> file)
      : slots_(options.hash_slots), entries_max_(options.entries_max), file_(std::move(file)) {}

  const Header& header() const { return header_; }
  const std::string& path() const { return file_->path(); }
  bool empty() const { return header_.index_count <= 1; }

  Result<void> search(KeySearch& search, LogPosition end) const {
    // Seconds are rounded down from begin_ms on.
    if (empty() || !search.wants(header_.begin_ms, header_.end_ms)) return {};
    auto number = read_slot(search.hash() % slots_);
    if (!number) return std::unexpected(std::move(number).error());
    for (int links = 0; *number != 0; ++links) {
      if (search.full()) return {};
      if (links == kChainMax) return corrupt(path(), "a chain of entries is too long");
      const auto entry = read_entry(*number);
      if (!entry) return std::unexpected(entry.error());
      const std::int64_t at_ms = header_.begin_ms + entry->seconds * kMillisPerSecond;
      if (entry->hash == search.hash() && entry->position.v >= 0 && entry->position < end &&
          search.wants(at_ms, at_ms + kMillisPerSecond - 1)) {
        search.accept(entry->position);
      }
      // Links lead to older entries, which have lower numbers; so this ends.
      if (entry->previous < 0 || entry->previous >= *number) {
        return corrupt(path(), fmt::format("entry {} links to {}", *number, entry->previous));
      }
      if (search.before(at_ms + kMillisPerSecond - 1)) return {};
      number = entry->previous;
    }
    return {};
  }

 private:
  Result<void> load() {
    const auto bytes = file_->size();
    if (!bytes) return std::unexpected(bytes.error());
    const std::uint64_t expected = kHeaderBytes + std::uint64_t{slots_} * kSlotBytes +
                                   std::uint64_t{entries_max_} * kEntryBytes;
    if (static_cast<std::uint64_t>(*bytes) != expected) {
      return corrupt(path(), fmt::format("{} bytes, expected {} for {} slots and {} entries",
                                         *bytes, expected, slots_, entries_max_));
    }
    std::array<char, kHeaderBytes> raw{};
    GANTRY_TRY(read(0, raw));
    header_ = {.begin_ms = load_be<std::int64_t>(raw.data()),
               .end_ms = load_be<std::int64_t>(raw.data() + 8),
               .begin = LogPosition(load_be<std::int64_t>(raw.data() + 16)),
               .end = LogPosition(load_be<std::int64_t>(raw.data() + 24)),
               .index_count = load_be<std::int32_t>(raw.data() + 36)};
    const bool counted =
        header_.index_count >= 0 && static_cast<std::uint32_t>(header_.index_count) <= entries_max_;
    // Store times are not below zero, and end_ms below begin_ms only if a clock was set back.
    const bool plausible = header_.begin.v >= 0 && header_.end >= header_.begin &&
                           header_.begin_ms >= 0 && header_.end_ms >= 0 &&
                           header_.begin_ms < std::numeric_limits<std::int64_t>::max() / 2;
    if (!counted || (!empty() && !plausible)) {
      return corrupt(
          path(), fmt::format("header with {} entries, positions {} to {}, times {} to {}",
                              header_.index_count, header_.begin.v, header_.end.v, header_.begin_ms,
                              header_.end_ms));
    }
    header_.end_ms = std::max(header_.end_ms, header_.begin_ms);
    return {};
  }

  Result<void> read(std::int64_t offset, std::span<char> out) const {
    const auto n = file_->read_at(offset, out);
    if (!n) return std::unexpected(n.error());
    if (*n != out.size()) return corrupt(path(), "cut short");
    return {};
  }

  // The newest entry of a slot, 0 if there is none.
  Result<std::int32_t> read_slot(std::uint32_t slot) const {
    std::array<char, kSlotBytes> raw{};
    GANTRY_TRY(
        read(static_cast<std::int64_t>(kHeaderBytes + std::uint64_t{slot} * kSlotBytes), raw));
    const auto number = load_be<std::int32_t>(raw.data());
    // RocketMQ takes a slot beyond its count for empty; the count is written later than the slot.
    return number > 0 && number < header_.index_count ? number : 0;
  }

  Result<Entry> read_entry(std::int32_t number) const {
    std::array<char, kEntryBytes> raw{};
    const std::uint64_t at = kHeaderBytes + std::uint64_t{slots_} * kSlotBytes +
                             static_cast<std::uint64_t>(number) * kEntryBytes;
    GANTRY_TRY(read(static_cast<std::int64_t>(at), raw));
    return Entry{.hash = load_be<std::uint32_t>(raw.data()),
                 .position = LogPosition(load_be<std::int64_t>(raw.data() + 4)),
                 .seconds = std::max(0, load_be<std::int32_t>(raw.data() + 12)),
                 .previous = load_be<std::int32_t>(raw.data() + 16)};
  }

  const std::uint32_t slots_;
  const std::uint32_t entries_max_;
  const std::unique_ptr<io::File> file_;
  Header header_;
};

ApacheIndex::ApacheIndex(ApacheIndexOptions options, std::string directory)
    : options_(options), directory_(std::move(directory)) {}

ApacheIndex::~ApacheIndex() = default;

Result<std::unique_ptr<ApacheIndex>> ApacheIndex::open(const std::string& directory,
                                                       ApacheIndexOptions options) {
  if (options.files == nullptr) options.files = &io::posix_file_system();
  if (options.hash_slots == 0 || options.entries_max == 0) {
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("maxHashSlotNum {} and maxIndexNum {} must be above 0",
                                  options.hash_slots, options.entries_max));
  }
  std::unique_ptr<ApacheIndex> index(new ApacheIndex(options, directory));
  GANTRY_TRY(index->load());
  return index;
}

Result<void> ApacheIndex::load() {
  auto entries = options_.files->list(directory_);
  if (!entries) {
    if (entries.error().code == ErrorCode::kNotFound) return {};
    return std::unexpected(std::move(entries).error());
  }
  std::ranges::sort(*entries, {}, &io::DirectoryEntry::name);
  for (const io::DirectoryEntry& e : *entries) {
    if (e.is_directory || !is_index_name(e.name)) continue;
    auto file = IndexFile::open(options_, directory_ + "/" + e.name);
    if (!file) {
      kLog.warn("cannot use an index file of RocketMQ, its keys will not be found reason={}",
                file.error().message);
      complete_ = false;
    } else if ((*file)->header().end_ms > options_.trusted_up_to_ms) {
      // It and what follows will be indexed again, from indexed_up_to() on.
      kLog.info("not using an index file that RocketMQ may not have completed file={}",
                (*file)->path());
      break;
    } else if (!(*file)->empty()) {
      files_.push_back(std::move(*file));
    }
  }
  return {};
}

std::vector<std::shared_ptr<const ApacheIndex::IndexFile>> ApacheIndex::files() const {
  const std::lock_guard lock(mutex_);
  return files_;
}

LogPosition ApacheIndex::indexed_up_to() const { return last().position; }

ApacheIndex::Last ApacheIndex::last() const {
  const auto all = files();
  if (all.empty()) return {};
  return {all.back()->header().end_ms, all.back()->header().end};
}

std::size_t ApacheIndex::file_count() const { return files().size(); }

Result<void> ApacheIndex::search(KeySearch& search, LogPosition end) const {
  const auto all = files();
  Result<void> first_error;
  for (auto file = all.rbegin(); file != all.rend() && !search.full(); ++file) {
    auto searched = (*file)->search(search, end);
    if (!searched && first_error) first_error = std::move(searched);
  }
  return first_error;
}

std::vector<std::string> ApacheIndex::forget_below(LogPosition begin) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  std::erase_if(files_, [&](const auto& file) {
    if (file->header().end >= begin) return false;
    paths.push_back(file->path());
    return true;
  });
  return paths;
}

}  // namespace gantry::store
