// SPDX-License-Identifier: Apache-2.0
#include "replog/recovery_scan.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "replog/internal_topic.h"

namespace gantry::replog {
namespace {

// A buffered window over the log that slides forward.
class Window {
 public:
  static constexpr std::size_t kBytes = 4U << 20;

  Window(const LogFiles& files, LogPosition limit) : files_(files), limit_(limit) {}

  // Bytes from `position` to the end of its file or the window, at least `need` unless the file or
  // the limit ends before.
  Result<std::string_view> at(LogPosition position, std::size_t need) {
    const LogPosition file_end = files_.file_start(position) + files_.file_bytes();
    const LogPosition stop = std::min({file_end, limit_, files_.end()});
    if (position >= stop || position < files_.begin()) return std::string_view{};
    need = std::min(need, static_cast<std::size_t>(stop - position));
    if (position < start_ ||
        position + static_cast<std::int64_t>(need) > start_ + static_cast<std::int64_t>(size_)) {
      const std::size_t want =
          std::min(std::max(kBytes, need), static_cast<std::size_t>(stop - position));
      if (capacity_ < want) {
        capacity_ = want;
        data_ = std::make_unique_for_overwrite<char[]>(capacity_);
      }
      const auto n = files_.read(position, {data_.get(), want});
      if (!n) return std::unexpected(n.error());
      start_ = position;
      size_ = *n;
    }
    const auto skip = static_cast<std::size_t>(position - start_);
    return std::string_view(data_.get() + skip, size_ - skip);
  }

 private:
  const LogFiles& files_;
  const LogPosition limit_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  LogPosition start_;
  std::size_t size_ = 0;
};

bool all_zero(std::string_view bytes) {
  return bytes.empty() ||
         (bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

class Scanner {
 public:
  Scanner(const LogFiles& files, const ScanOptions& options, EpochTable& epochs)
      : files_(files), options_(options), epochs_(epochs), window_(files, options.to) {}

  Result<ScanResult> run(
      const std::function<Result<void>(const protocol::RecordView&)>& on_record) {
    LogPosition position = std::max(options_.from, files_.begin());
    result_.end = result_.records_end = position;
    while (position < std::min(files_.end(), options_.to)) {
      auto step = next_at(position);
      if (!step) return std::unexpected(step.error());
      if (step->record) {
        if (bad_from_) close_damage(position);
        if (on_record) GANTRY_TRY(on_record(*step->record));
        note(*step->record);
        position += step->record->total_size;
        result_.end = result_.records_end = position;
      } else if (step->blank_bytes > 0) {
        if (bad_from_) close_damage(position);
        position += step->blank_bytes;
        result_.end = position;
      } else {
        if (!bad_from_) {
          bad_from_ = position;
          result_.end_reason = step->zero ? "" : step->reason;
        }
        if (step->zero && !step->maybe_more) break;
        if (!options_.resynchronise) {
          result_.garbage_behind_end = !step->zero;
          break;
        }
        auto found = resynchronise(position + 1);
        if (!found) return std::unexpected(found.error());
        if (!*found) break;
        if (result_.end_reason.empty()) result_.end_reason = "zeros inside the log";
        position = **found;
      }
    }
    return std::move(result_);
  }

 private:
  struct Step {
    std::optional<protocol::RecordView> record;
    std::int64_t blank_bytes = 0;
    bool zero = false;        // eight zero bytes: nothing was written here
    bool maybe_more = false;  // ... but bytes that are not zero follow
    std::string reason;
  };

  Result<Step> next_at(LogPosition position) {
    auto bytes = window_.at(position, 8);
    if (!bytes) return std::unexpected(bytes.error());
    Step step;
    const std::int64_t left_in_file = files_.file_start(position) + files_.file_bytes() - position;
    if (bytes->size() < 8) {
      step.zero = all_zero(*bytes);
      step.reason = "fewer than 8 bytes left in the file";
      return step;
    }
    const auto size = load_be<std::uint32_t>(bytes->data());
    const auto magic = load_be<std::uint32_t>(bytes->data() + 4);
    if (magic == protocol::kBlankMagic) {
      // A blank must reach exactly the end of its file.
      if (size == left_in_file) {
        step.blank_bytes = left_in_file;
      } else {
        step.reason = fmt::format("blank of {} bytes, {} left in the file", size, left_in_file);
      }
      return step;
    }
    if (size == 0 && magic == 0) {
      step.zero = true;
      step.reason = "zeros";
      auto more = any_nonzero_behind(position);
      if (!more) return std::unexpected(more.error());
      step.maybe_more = *more;
      result_.garbage_behind_end = result_.garbage_behind_end || *more;
      return step;
    }
    result_.garbage_behind_end = true;  // until a record proves otherwise
    if (size > options_.record_bytes_max || static_cast<std::int64_t>(size) > left_in_file) {
      step.reason = fmt::format("record size {} is impossible here", size);
      return step;
    }
    bytes = window_.at(position, size);
    if (!bytes) return std::unexpected(bytes.error());
    auto record = verify_record(*bytes, position, epochs_);
    if (!record) {
      step.reason = record.error().message;
      return step;
    }
    step.record = *record;
    result_.garbage_behind_end = false;
    return step;
  }

  Result<bool> any_nonzero_behind(LogPosition position) {
    if (options_.writes_lost) return any_nonzero_before(position, files_.end());
    if (position < options_.durable) {
      auto synced = any_nonzero_before(position, options_.durable);
      if (!synced || *synced) return synced;
    }
    // Only the next 64 KiB and the next file's head: what a torn or reordered write can leave.
    auto bytes = window_.at(position, 64 << 10);
    if (!bytes) return std::unexpected(bytes.error());
    if (!all_zero(bytes->substr(0, 64 << 10))) return true;
    const LogPosition next = files_.file_start(position) + files_.file_bytes();
    if (next >= files_.end()) return false;
    std::string head(4096, '\0');
    const auto n = files_.read(next, head);
    if (!n) return std::unexpected(n.error());
    return !all_zero(std::string_view(head).substr(0, *n));
  }

  Result<bool> any_nonzero_before(LogPosition position, LogPosition limit) {
    while (position < std::min(limit, options_.to)) {
      auto bytes = window_.at(position, 1);
      if (!bytes) return std::unexpected(bytes.error());
      if (bytes->empty()) return false;
      if (!all_zero(*bytes)) return true;
      position += static_cast<std::int64_t>(bytes->size());
    }
    return false;
  }

  // The next position, in this or the following files, where a valid record starts.
  Result<std::optional<LogPosition>> resynchronise(LogPosition from) {
    LogPosition position = from;
    const LogPosition limit = std::min(files_.end(), options_.to);
    while (position < limit) {
      auto bytes = window_.at(position, protocol::kRecordBytesMin);
      if (!bytes) return std::unexpected(bytes.error());
      if (bytes->size() < 8) {
        position = files_.file_start(position) + files_.file_bytes();
        continue;
      }
      if (!options_.writes_lost && position >= options_.durable && all_zero(*bytes)) {
        const LogPosition next = files_.file_start(position) + files_.file_bytes();
        if (position + static_cast<std::int64_t>(Window::kBytes) < next &&
            bytes->size() < Window::kBytes) {
          // The rest of a window: look on.
        } else if (next >= limit) {
          return std::optional<LogPosition>{};
        } else {
          position = next;  // nothing unsynced lies behind so many zeros but the next file
          continue;
        }
      }
      const auto hit = find_magic(*bytes);
      if (!hit) {
        position += static_cast<std::int64_t>(bytes->size()) - 7;
        continue;
      }
      position += static_cast<std::int64_t>(*hit);
      auto step = next_at(position);
      if (!step) return std::unexpected(step.error());
      if (step->record || step->blank_bytes > 0) return position;
      position += 1;
    }
    return std::optional<LogPosition>{};
  }

  // Where (size, magic) of a record or blank may begin.
  static std::optional<std::size_t> find_magic(std::string_view bytes) {
    for (std::size_t i = 4; i + 4 <= bytes.size(); ++i) {
      const void* hit = std::memchr(bytes.data() + i, 0xDA, bytes.size() - i - 3);
      const void* blank = nullptr;
      std::size_t at = hit ? static_cast<std::size_t>(static_cast<const char*>(hit) - bytes.data())
                           : bytes.size();
      blank = std::memchr(bytes.data() + i, 0xCB, std::min(at, bytes.size() - 3) - i);
      if (blank) at = static_cast<std::size_t>(static_cast<const char*>(blank) - bytes.data());
      if (at >= bytes.size()) return std::nullopt;
      const auto magic = load_be<std::uint32_t>(bytes.data() + at);
      if (magic == protocol::kRecordMagicV1 || magic == protocol::kRecordMagicV2 ||
          magic == protocol::kBlankMagic) {
        return at - 4;
      }
      i = at;
    }
    return std::nullopt;
  }

  void close_damage(LogPosition to) {
    result_.damaged.push_back({*bad_from_, to, result_.end_reason});
    if (options_.on_damage) options_.on_damage(result_.damaged.back());
    result_.end_reason.clear();
    bad_from_.reset();
  }

  void note(const protocol::RecordView& record) {
    ++result_.records;
    result_.last_store_timestamp_ms = record.store_timestamp_ms;
    if (internal_kind(record) != InternalRecord::kTermStart) return;
    if (const auto start = TermStart::decode(record.body)) {
      for (const Epoch& epoch : epochs_of(*start, record.position)) epochs_.add(epoch);
    }
  }

  const LogFiles& files_;
  const ScanOptions& options_;
  EpochTable& epochs_;
  Window window_;
  ScanResult result_;
  std::optional<LogPosition> bad_from_;
};

}  // namespace

Result<protocol::RecordView> verify_record(std::string_view bytes, LogPosition position,
                                           const EpochTable& epochs) {
  auto record = protocol::decode_record(bytes);
  if (!record) return record;
  if (record->position != position) {
    return make_error(ErrorCode::kCorrupt, fmt::format("record says position {}, it is at {}",
                                                       record->position.v, position.v));
  }
  const bool apache = epochs.apache_at(position) && record->topic != kLogTopic;
  GANTRY_TRY(protocol::verify_checksum(*record, apache
                                                    ? protocol::ChecksumPolicy::kBodyCrc
                                                    : protocol::ChecksumPolicy::kRecordChecksum));
  return record;
}

Result<ScanResult> scan_log(
    const LogFiles& files, const ScanOptions& options, EpochTable& epochs,
    const std::function<Result<void>(const protocol::RecordView&)>& on_record) {
  return Scanner(files, options, epochs).run(on_record);
}

}  // namespace gantry::replog
