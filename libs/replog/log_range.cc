// SPDX-License-Identifier: Apache-2.0
#include "replog/log_range.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/bytes.h"
#include "replog/internal_topic.h"

namespace gantry::replog {
namespace {

class Verifier {
 public:
  Verifier(std::string_view bytes, LogPosition from, LogPosition to, std::int64_t file_bytes,
           const std::vector<raft::Epoch>& epochs, bool apache_before)
      : bytes_(bytes),
        file_bytes_(file_bytes),
        sent_(epochs),
        epochs_(epochs),
        apache_before_(apache_before) {
    range_.from = from;
    range_.to = to;
    range_.epochs = epochs;
  }

  Result<LogRange> run() {
    LogPosition position = range_.from;
    bool behind_blank = false;
    range_.runs.push_back({position, bytes_.substr(0, 0)});
    while (position < range_.to) {
      if (bytes_.size() - at_ < protocol::kBlankHeaderBytes)
        return bad(position, "bytes are missing");
      if (load_be<std::uint32_t>(bytes_.data() + at_ + 4) == protocol::kBlankMagic) {
        auto next = blank(position);
        if (!next) return std::unexpected(next.error());
        position = *next;
        behind_blank = true;
      } else {
        auto next = record(position);
        if (!next) return std::unexpected(next.error());
        position = *next;
        behind_blank = false;
      }
    }
    if (position != range_.to || at_ != bytes_.size()) {
      return bad(position, "the bytes and the range differ in length");
    }
    if (behind_blank) return bad(position, "a range must not end behind a blank");
    GANTRY_TRY(check_epochs());
    return std::move(range_);
  }

 private:
  static std::unexpected<Error> bad(LogPosition position, std::string_view what) {
    return make_error(ErrorCode::kCorrupt, fmt::format("at {}: {}", position.v, what));
  }

  void extend_run(std::size_t size) {
    LogRange::Run& run = range_.runs.back();
    run.bytes = std::string_view(run.bytes.empty() ? bytes_.data() + at_ : run.bytes.data(),
                                 run.bytes.size() + size);
    at_ += size;
  }

  Result<LogPosition> blank(LogPosition position) {
    const std::int64_t left = file_bytes_ - position.v % file_bytes_;
    const auto size = load_be<std::uint32_t>(bytes_.data() + at_);
    if (static_cast<std::int64_t>(size) != left) {
      return bad(position, fmt::format("a blank of {} bytes, {} are left in the file", size, left));
    }
    extend_run(protocol::kBlankHeaderBytes);
    range_.runs.push_back({position + left, bytes_.substr(at_, 0)});
    return position + left;
  }

  Result<LogPosition> record(LogPosition position) {
    const auto record = protocol::decode_record(bytes_.substr(at_));
    if (!record) return bad(position, record.error().message);
    if (record->position != position) {
      return bad(position, fmt::format("the record says position {}", record->position.v));
    }
    const std::int64_t left = file_bytes_ - position.v % file_bytes_;
    if (record->total_size > left) return bad(position, "the record crosses the end of its file");
    const raft::Epoch* epoch = epochs_.find(position);
    const bool apache = epoch != nullptr ? epoch->apache : apache_before_;
    const auto kind = internal_kind(*record);
    GANTRY_TRY(protocol::verify_checksum(*record, apache && !kind
                                                      ? protocol::ChecksumPolicy::kBodyCrc
                                                      : protocol::ChecksumPolicy::kRecordChecksum));
    if (kind) GANTRY_TRY(note_internal(*record, *kind));
    range_.last_store_time_ms = record->store_timestamp_ms;
    extend_run(record->total_size);
    return position + record->total_size;
  }

  Result<void> note_internal(const protocol::RecordView& record, InternalRecord kind) {
    if (kind == InternalRecord::kTermStart) {
      const auto start = TermStart::decode(record.body);
      if (!start) return std::unexpected(start.error());
      range_.flush_mode = start->flush_mode;
      found_.push_back(epochs_of(*start, record.position).back());
    } else if (kind == InternalRecord::kMembership) {
      auto membership = raft::Membership::decode(record.body);
      if (!membership) return std::unexpected(membership.error());
      range_.memberships.push_back(
          {record.position, record.position + record.total_size, std::move(*membership)});
    }
    return {};
  }

  // Every term start in the bytes must have been announced, and the other way round.
  Result<void> check_epochs() const {
    for (const raft::Epoch& epoch : found_) {
      if (epoch.start >= range_.from && std::ranges::find(sent_, epoch) == sent_.end()) {
        return bad(epoch.start,
                   fmt::format("the start of term {} was not announced", epoch.term.v));
      }
    }
    for (const raft::Epoch& epoch : sent_) {
      if (!epoch.apache && std::ranges::find(found_, epoch) == found_.end()) {
        return bad(epoch.start,
                   fmt::format("term {} was announced and does not start here", epoch.term.v));
      }
    }
    return {};
  }

  const std::string_view bytes_;
  const std::int64_t file_bytes_;
  const std::vector<raft::Epoch>& sent_;
  const raft::EpochTable epochs_;
  const bool apache_before_;
  std::vector<raft::Epoch> found_;
  std::size_t at_ = 0;
  LogRange range_;
};

}  // namespace

Result<LogRange> verify_range(std::string_view bytes, LogPosition from, LogPosition to,
                              std::int64_t file_bytes, const std::vector<raft::Epoch>& epochs,
                              bool apache_before) {
  return Verifier(bytes, from, to, file_bytes, epochs, apache_before).run();
}

}  // namespace gantry::replog
