// SPDX-License-Identifier: Apache-2.0
// Which term wrote which part of the log: (term, start position), in order. Derived from the
// term-start records; kept in the state snapshot so that it survives retention. Answers "which term
// is position P" and "may P's records be checked by their checksum property".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.h"

namespace gantry::replog {

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
  // Starts must not decrease; an epoch with the same start replaces the last one (it holds
  // nothing).
  void add(const Epoch& epoch);
  // Drops epochs that start at or beyond `end`.
  void cut(LogPosition end);
  // Drops epochs that end at or below `begin`; the one that holds `begin` stays.
  void trim(LogPosition begin);
  const Epoch* find(LogPosition position) const;
  bool apache_at(LogPosition position) const;
  Term last_term() const { return epochs_.empty() ? Term(0) : epochs_.back().term; }
  std::span<const Epoch> all() const { return epochs_; }

 private:
  std::vector<Epoch> epochs_;
};

}  // namespace gantry::replog
