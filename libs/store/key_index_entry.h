// SPDX-License-Identifier: Apache-2.0
// What the parts of the key index exchange: one entry, and one search that collects its hits.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "base/types.h"

namespace gantry::store {

struct KeyEntry {
  std::uint32_t hash = 0;
  LogPosition position;
  std::int64_t store_time_ms = 0;
  bool operator==(const KeyEntry&) const = default;
};

// Positions [begin, end) of the log.
struct LogRange {
  LogPosition begin;
  LogPosition end;
  bool operator==(const LogRange&) const = default;
};

inline constexpr LogPosition kLogPositionMax{std::numeric_limits<std::int64_t>::max()};

// One search: sources are asked from the newest to the oldest, each offers its entries with the
// hash in descending position until full().
class KeySearch {
 public:
  KeySearch(std::uint32_t hash, std::size_t max, std::int64_t begin_ms, std::int64_t end_ms,
            LogPosition log_begin)
      : hash_(hash), max_(max), begin_ms_(begin_ms), end_ms_(end_ms), log_begin_(log_begin) {}

  std::uint32_t hash() const { return hash_; }
  bool full() const { return found_.size() >= max_; }
  // Whether entries of these times can match at all.
  bool wants(std::int64_t oldest_ms, std::int64_t newest_ms) const {
    return oldest_ms <= end_ms_ && newest_ms >= begin_ms_;
  }
  // Whether an entry of this time is older than all that can match.
  bool before(std::int64_t store_time_ms) const { return store_time_ms < begin_ms_; }

  void offer(LogPosition position, std::int64_t store_time_ms) {
    if (wants(store_time_ms, store_time_ms)) accept(position);
  }
  // As offer, for an entry whose time matches.
  void accept(LogPosition position) {
    if (full() || position < log_begin_) return;
    // One record may carry the same key twice.
    if (!found_.empty() && found_.back() == position) return;
    found_.push_back(position);
  }
  std::vector<LogPosition> take() { return std::move(found_); }

 private:
  std::uint32_t hash_;
  std::size_t max_;
  std::int64_t begin_ms_;
  std::int64_t end_ms_;
  LogPosition log_begin_;
  std::vector<LogPosition> found_;
};

}  // namespace gantry::store
