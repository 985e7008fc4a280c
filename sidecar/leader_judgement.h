// SPDX-License-Identifier: Apache-2.0
// Whether the broker counts as the leader, from what the questions to it have shown. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "sidecar/broker_client.h"

namespace gantry::sidecar {

class LeaderJudgement {
 public:
  // A broker that is silent for `silence_max_us` does not lead any more: the others have elected
  // somebody else by then, or nobody.
  LeaderJudgement(std::int64_t silence_max_us, std::int64_t now_us)
      : silence_max_us_(silence_max_us), last_answer_us_(now_us) {}

  void note(Seen seen, std::int64_t now_us);
  // Nothing: not known yet, because it has been silent since the beginning.
  std::optional<bool> leads(std::int64_t now_us) const;
  // Until silence counts as an answer; 0 or less: it does.
  std::int64_t patience_us(std::int64_t now_us) const {
    return last_answer_us_ + silence_max_us_ - now_us;
  }

 private:
  const std::int64_t silence_max_us_;
  std::int64_t last_answer_us_;
  std::optional<bool> leads_;
};

}  // namespace gantry::sidecar
