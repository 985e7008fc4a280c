// SPDX-License-Identifier: Apache-2.0
// The terms of the committed log and where each began. Changed only by StateMachine; readers use it
// on the log shard. The log's own table, which also knows uncommitted terms, is replog's business.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/types.h"

namespace gantry::state {

// Bits of Epoch::flags.
inline constexpr std::uint32_t kEpochApache = 1;     // written by Apache RocketMQ
inline constexpr std::uint32_t kEpochSyncFlush = 2;  // the group's flush mode in this term

struct Epoch {
  Term term;
  LogPosition start;  // of the term-start record; an Apache epoch starts at its first record
  std::uint32_t flags = 0;

  bool operator==(const Epoch&) const = default;
};

class EpochTable {
 public:
  // Starts ascend, terms never decrease. Epochs wholly below the trim position are dropped.
  const std::vector<Epoch>& all() const { return epochs_; }
  // The epoch that wrote the byte at `position`; nullopt before the first known epoch.
  std::optional<Epoch> at(LogPosition position) const;
  std::optional<Epoch> last() const;

 private:
  friend class StateMachine;
  // Neither term nor start may decrease (then: no effect, false). An epoch with the start of the
  // last one replaces it: that one holds nothing.
  bool append(const Epoch& epoch);
  // Drops epochs that end at or below `begin`; the one that holds `begin` stays.
  void trim(LogPosition begin);
  // Drops epochs that start at or behind `end`.
  void cut(LogPosition end) {
    std::erase_if(epochs_, [&](const Epoch& epoch) { return epoch.start >= end; });
  }
  void clear() { epochs_.clear(); }

  std::vector<Epoch> epochs_;
};

}  // namespace gantry::state
