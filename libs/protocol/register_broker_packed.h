// SPDX-License-Identifier: Apache-2.0
// The packed layout inside a compressed REGISTER_BROKER body. It has no room for order,
// topicSysFlag and the mapping DataVersion: those come back as defaults. Private to libs/protocol.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/register_broker.h"

namespace gantry::protocol {

// Errors: kInvalidArgument for a topic name with a space, which the layout cannot carry.
Result<std::string> pack_register_broker(const RegisterBrokerBody& body, std::int32_t version);
Result<RegisterBrokerBody> unpack_register_broker(std::string_view packed, std::int32_t version);

}  // namespace gantry::protocol
