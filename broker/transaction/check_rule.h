// SPDX-License-Identifier: Apache-2.0
// What a round of checks does with an open transaction, by RocketMQ's rules. Pure.
#pragma once

#include <cstdint>

#include "state/transaction_table.h"

namespace gantry::broker {

struct CheckLimits {
  std::int64_t timeout_ms = 0;   // transactionTimeOut
  std::int32_t checks_max = 0;   // transactionCheckMax
  std::int64_t reserved_ms = 0;  // fileReservedTime
};

enum class CheckVerdict : std::uint8_t {
  kLeave,   // too young
  kAsk,     // its producer is asked
  kGiveUp,  // asked often enough, or as old as log files get
};

CheckVerdict check_verdict(const state::OpenTransaction& open, std::int64_t now_ms,
                           const CheckLimits& limits);

}  // namespace gantry::broker
