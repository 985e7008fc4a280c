// SPDX-License-Identifier: Apache-2.0
#include "sidecar/leader_judgement.h"

namespace gantry::sidecar {

void LeaderJudgement::note(Seen seen, std::int64_t now_us) {
  if (seen == Seen::kSilent) return;
  leads_ = seen == Seen::kLeads;
  last_answer_us_ = now_us;
}

std::optional<bool> LeaderJudgement::leads(std::int64_t now_us) const {
  return patience_us(now_us) <= 0 ? std::optional(false) : leads_;
}

}  // namespace gantry::sidecar
