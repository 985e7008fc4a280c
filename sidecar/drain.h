// SPDX-License-Identifier: Apache-2.0
// `gantry-sidecar drain`: takes a broker out of service before its pod ends, as a preStop hook.
// Asks for maintenance, in which the broker hands over leadership, and waits until it does not lead
// any more. A broker that has led then stays for a while: what the leader Service still leads to it
// is forwarded meanwhile. Blocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace gantry::sidecar {

struct DrainOptions {
  std::string host_port;
  std::chrono::milliseconds timeout{30'000};  // for all of it
  std::chrono::milliseconds linger{0};        // after a leader has handed over
  std::chrono::milliseconds poll_interval{200};
};

enum class Drained : std::uint8_t {
  kMoved,       // it does not lead (any more)
  kGone,        // there is no broker
  kAlone,       // nobody can take over: it refuses new messages now
  kImpossible,  // this broker cannot be asked
  kTimedOut,
};

struct DrainOutcome {
  Drained drained = Drained::kTimedOut;
  std::string text{};  // for people
};

DrainOutcome drain(const DrainOptions& options, const Clock& clock = system_clock());

}  // namespace gantry::sidecar
