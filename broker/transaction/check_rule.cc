// SPDX-License-Identifier: Apache-2.0
#include "broker/transaction/check_rule.h"

namespace gantry::broker {

CheckVerdict check_verdict(const state::OpenTransaction& open, std::int64_t now_ms,
                           const CheckLimits& limits) {
  // By the producer's clock. One that is ahead makes ages below 0: such a message is asked about at
  // once, unless it has a time of its own.
  const std::int64_t age_ms = now_ms - open.born_ms;
  if (open.checks >= limits.checks_max || age_ms > limits.reserved_ms) return CheckVerdict::kGiveUp;
  if (open.immunity_ms >= 0) {
    return age_ms <= open.immunity_ms ? CheckVerdict::kLeave : CheckVerdict::kAsk;
  }
  return age_ms >= 0 && age_ms <= limits.timeout_ms ? CheckVerdict::kLeave : CheckVerdict::kAsk;
}

}  // namespace gantry::broker
