// SPDX-License-Identifier: Apache-2.0
#include "broker/group/state_comparison.h"

#include <chrono>
#include <utility>

#include "log/log.h"

namespace gantry::broker {
namespace {
log::Logger logger("group");
}  // namespace

StateComparison::StateComparison(BrokerContext& context)
    : context_(context),
      timer_(
          context.shard.every(std::chrono::milliseconds(context.config.compare_state_interval_ms),
                              [this] { compare(); })) {
  context_.storage.state().add_listener(this);
}

StateComparison::~StateComparison() { context_.storage.state().remove_listener(this); }

void StateComparison::compare() {
  Storage& storage = context_.storage;
  if (!storage.leading() || storage.replica().core().membership().members.size() < 2) return;
  if (storage.state().feature_level() < state::kCompareStateLevel) return;
  // The state is what it was at the last comparison: one more carries the digest of that one.
  const bool same = storage.state().last_digest().position == storage.state().applied();
  if (same && std::exchange(compared_same_, true)) return;
  if (!same) compared_same_ = false;
  storage.proposals().compare_state([](const Result<void>& done) {
    if (!done) logger.info("members do not compare their state now: {}", done.error().message);
  });
}

void StateComparison::on_state_compared(const state::StateDigest& own, std::uint64_t leaders) {
  ++comparisons_;
  if (own.digest == leaders) return;
  ++differences_;
  logger.error(
      "the replicated state of this member differs from the leader's at position {} of the log "
      "(digest {:016x}, the leader's {:016x}): remove this member from its broker set, empty its "
      "store and let it join again, and keep the store for a report",
      own.position.v, own.digest, leaders);
}

}  // namespace gantry::broker
