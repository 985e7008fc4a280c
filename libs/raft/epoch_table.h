// SPDX-License-Identifier: Apache-2.0
// Which term wrote which part of the log: (term, start position), in order. Derived from the
// term-start records; kept in the state snapshot so that it survives retention. Answers "which term
// is position P", "where do two logs part" and "may P's records be checked by their checksum
// property".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.h"

namespace gantry::raft {

struct Epoch {
  Term term;
  LogPosition start;
  // Written by Apache RocketMQ (before the first term, or while the store was given back to it):
  // records carry no checksum property, their body CRC counts.
  bool apache = false;
  bool operator==(const Epoch&) const = default;
};

class EpochTable {
 public:
  EpochTable() = default;
  explicit EpochTable(std::vector<Epoch> epochs) : epochs_(std::move(epochs)) {}

  // Starts must not decrease; an epoch with the same start replaces the last one (it holds
  // nothing).
  void add(const Epoch& epoch);
  // Drops epochs that start at or beyond `end`.
  void cut(LogPosition end);
  // Drops epochs that end below `begin`; the one of the byte before `begin` stays, for a follower
  // whose log ends there.
  void trim(LogPosition begin);
  const Epoch* find(LogPosition position) const;
  bool apache_at(LogPosition position) const;
  // Term of the byte before `position`; 0 when no known epoch holds it.
  Term term_before(LogPosition position) const;
  Term last_term() const { return epochs_.empty() ? Term(0) : epochs_.back().term; }
  std::span<const Epoch> all() const { return epochs_; }
  // The epochs that start in [from, to).
  std::vector<Epoch> starting_in(LogPosition from, LogPosition to) const;

 private:
  std::vector<Epoch> epochs_;
};

// The largest position up to which two logs are known to hold the same bytes, judged by their
// epochs: an epoch of equal term and start was written by one leader, and everything before it is
// equal too. `fallback` when no such epoch is known.
LogPosition common_end(std::span<const Epoch> a, LogPosition a_end, std::span<const Epoch> b,
                       LogPosition b_end, LogPosition fallback);

}  // namespace gantry::raft
