// SPDX-License-Identifier: Apache-2.0
// CHECK_TRANSACTION_STATE (39): asks a producer what became of its half message. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/command.h"
#include "protocol/record.h"

namespace gantry::broker {

// The half message's properties without checksum, with TRANSACTION_CHECK_TIMES; as they are if that
// would make them too long.
std::string properties_with_checks(const protocol::RecordView& half, std::int32_t checks);

// `half` names its target. The body is the message as it will be delivered, in the half message's
// place: the producer answers with that place.
protocol::Command check_message(const protocol::RecordView& half, std::int32_t checks,
                                std::string_view broker_name);

}  // namespace gantry::broker
