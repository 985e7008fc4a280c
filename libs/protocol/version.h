// SPDX-License-Identifier: Apache-2.0
// RocketMQ's release names by the ordinal that travels as `version`.
#pragma once

#include <cstdint>
#include <string>

namespace gantry::protocol {

// "V5_3_3" for 479; "V<ordinal>" for one that is no known release.
std::string version_name(std::int32_t ordinal);

}  // namespace gantry::protocol
