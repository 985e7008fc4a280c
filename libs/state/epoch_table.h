// SPDX-License-Identifier: Apache-2.0
// The terms of the committed log and where each began. Changed only by StateMachine; readers use it
// on the log shard. The log's own table, which also knows uncommitted terms, is replog's business.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/types.h"

namespace gantry::state {

struct Epoch {
  Term term;
  LogPosition start;        // of the term-start record; term 0 starts where the log does
  std::uint32_t flags = 0;  // as written in the term-start record

  bool operator==(const Epoch&) const = default;
};

class EpochTable {
 public:
  const std::vector<Epoch>& all() const { return epochs_; }  // ascending terms and starts
  // The epoch that wrote the byte at `position`; nullopt before the first known epoch.
  std::optional<Epoch> at(LogPosition position) const;
  std::optional<Epoch> last() const;

 private:
  friend class StateMachine;
  // False, without effect, unless the term and start are above the last ones.
  bool append(const Epoch& epoch);
  void clear() { epochs_.clear(); }

  std::vector<Epoch> epochs_;
};

}  // namespace gantry::state
