// SPDX-License-Identifier: Apache-2.0
// The part of Log that a follower uses, and what a driver needs to send the log to others.
#include <fmt/core.h>

#include <cstring>

#include "base/bytes.h"
#include "log/log.h"
#include "replog/log.h"

namespace gantry::replog {
namespace {
log::Logger logger("replog");
}

Result<void> Log::make_room(LogPosition end) {
  // As for messages of a leader: one file stays in reserve.
  const LogPosition needed = files_->file_start(end) + 2 * files_->file_bytes();
  while (files_->end() < needed) {
    if (const auto made = files_->extend(); !made) {
      // The reserve is there for what must not be refused: what the group has decided on.
      if (files_->end() >= end) return {};
      return made;
    }
  }
  return {};
}

void Log::accept(LogPosition from, LogPosition to, const LogRange& range) {
  for (const LogRange::Run& run : range.runs) {
    const LogPosition run_end = run.position + static_cast<std::int64_t>(run.bytes.size());
    if (run_end <= from || run.bytes.empty()) continue;
    const std::int64_t skip = std::max<std::int64_t>(from - run.position, 0);
    const std::string_view bytes = run.bytes.substr(static_cast<std::size_t>(skip));
    char* place = cache_.reserve(run.position + skip, bytes.size());
    std::memcpy(place, bytes.data(), bytes.size());
    cache_.publish(bytes.size());
    stats_.bytes += bytes.size();
  }
  for (const Epoch& epoch : range.epochs) {
    if (epoch.start >= from) epochs_.add(epoch);
  }
  if (!range.memberships.empty()) flush_to_ = to;
  if (range.flush_mode) flush_mode_ = *range.flush_mode;
  end_ = to;
  last_store_time_ms_ = std::max(last_store_time_ms_, range.last_store_time_ms);
  loop_.schedule(*this);
}

Result<void> Log::cut(LogPosition position) {
  logger.info("cutting the log from={} to={}", end_.v, position.v);
  ++cuts_;
  GANTRY_TRY(checkpoint_->cut(position));
  GANTRY_TRY(files_->cut(position));
  cache_.cut(position);
  zero_ahead_.cut(position);
  if (reader_) reader_->forget_from(position);
  epochs_.cut(position);
  end_ = position;
  written_ = std::min(written_, position);
  durable_ = std::min(durable_, position);
  sync_asked_ = std::min(sync_asked_, position);
  flush_to_ = std::min(flush_to_, position);
  return {};
}

Result<void> Log::restart_at(LogPosition begin, EpochTable epochs) {
  ++cuts_;
  GANTRY_TRY(checkpoint_->cut(begin));
  GANTRY_TRY(files_->restart_at(begin));
  cache_.cut(LogPosition(0));
  zero_ahead_.cut(LogPosition(0));
  reader_ = std::make_unique<LogReader>(loop_, *files_, options_.block_cache_bytes);
  epochs_ = std::move(epochs);
  end_ = written_ = durable_ = sync_asked_ = committed_ = applied_ = begin;
  return make_room(begin);
}

std::optional<LogPosition> Log::unit_end(LogPosition position) const {
  std::string_view bytes = cache_.at(position);
  if (bytes.size() < protocol::kBlankHeaderBytes) return std::nullopt;
  if (load_be<std::uint32_t>(bytes.data() + 4) == protocol::kBlankMagic) {
    position = files_->file_start(position) + files_->file_bytes();
    bytes = cache_.at(position);
    if (bytes.size() < protocol::kBlankHeaderBytes) return std::nullopt;
  }
  return position + load_be<std::uint32_t>(bytes.data());
}

std::optional<LogPosition> Log::bound_in_memory(LogPosition from, std::int64_t bytes_max) const {
  LogPosition best = from;
  while (best < end_) {
    const auto next = unit_end(best);
    if (!next) break;
    if (*next - from > bytes_max && best > from) break;
    best = *next;
  }
  if (best == from) return std::nullopt;
  return best;
}

void Log::collect(LogPosition from, LogPosition to, std::vector<io::Slice>& out) const {
  while (from < to) {
    const std::string_view piece = cache_.at(from);
    if (piece.empty()) {
      // Behind a blank's head the next bytes are those of the next file.
      from = files_->file_start(from) + files_->file_bytes();
      continue;
    }
    const auto n = std::min<std::int64_t>(static_cast<std::int64_t>(piece.size()), to - from);
    out.push_back({piece.data(), static_cast<std::size_t>(n)});
    from += n;
  }
}

}  // namespace gantry::replog
