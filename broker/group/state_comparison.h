// SPDX-License-Identifier: Apache-2.0
// Whether all members of the broker set hold the same replicated state: while this member leads a
// set of several, it lets them compare digests every compareStateInterval. A difference is an error
// in Gantry or in memory; it is logged, counted and shown, and the member goes on, because stopping
// it would not make it right. Owned by BrokerApp, log shard only.
#pragma once

#include <cstdint>
#include <memory>

#include "broker/core/context.h"
#include "state/state_machine.h"

namespace gantry::broker {

class StateComparison final : private state::StateMachine::Listener {
 public:
  explicit StateComparison(BrokerContext& context);
  ~StateComparison() override;

  std::uint64_t comparisons() const { return comparisons_; }
  std::uint64_t differences() const { return differences_; }

 private:
  void on_state_compared(const state::StateDigest& own, std::uint64_t leaders) override;
  void compare();

  BrokerContext& context_;
  std::uint64_t comparisons_ = 0, differences_ = 0;
  bool compared_same_ = false;
  std::unique_ptr<runtime::Timer> timer_;
};

}  // namespace gantry::broker
