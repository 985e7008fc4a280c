// SPDX-License-Identifier: Apache-2.0
// What of a broker's readiness somebody has to act on, and what to do about it. Pure.
#pragma once

#include <optional>
#include <string>

#include "sidecar/broker_client.h"

namespace gantry::sidecar {

inline constexpr const char* kBrokerNotReady = "BrokerNotReady";  // for what has no own reason
inline constexpr const char* kBrokerReady = "BrokerReady";

struct Trouble {
  std::string reason{};   // of the Event
  std::string message{};  // what is the matter, and the advice
};

// Nothing: the broker is ready, or will be without anybody's doing, or nothing is known. With
// several failed checks the first one counts that needs somebody.
std::optional<Trouble> trouble_of(const ReadinessAnswer& answer);

}  // namespace gantry::sidecar
