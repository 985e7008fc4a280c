// SPDX-License-Identifier: Apache-2.0
// When a position of the log counts as committed. The log reports what is written and what is
// durable on this member; the rule answers how far the group has committed. With one member that is
// its own written position (ASYNC_FLUSH) or durable position (SYNC_FLUSH). The Raft core implements
// the same interface for more members.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/types.h"

namespace gantry::replog {

enum class FlushMode : std::uint8_t { kAsync, kSync };

class CommitRule {
 public:
  virtual ~CommitRule() = default;
  // Both positions only grow within a term. Returns the commit position, which only grows.
  virtual LogPosition on_progress(LogPosition written, LogPosition durable) = 0;
};

class SingleMemberCommit final : public CommitRule {
 public:
  explicit SingleMemberCommit(FlushMode mode) : mode_(mode) {}
  LogPosition on_progress(LogPosition written, LogPosition durable) override {
    const LogPosition own = mode_ == FlushMode::kSync ? std::min(written, durable) : written;
    committed_ = std::max(committed_, own);
    return committed_;
  }

 private:
  const FlushMode mode_;
  LogPosition committed_;
};

}  // namespace gantry::replog
