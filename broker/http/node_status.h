// SPDX-License-Identifier: Apache-2.0
// The JSON of GET /v1/node: who this broker is and how it does, for people and tools.
#pragma once

#include <string>

#include "broker/core/context.h"

namespace gantry::broker {

std::string node_status_json(BrokerContext& context, std::string_view version);  // shard only

}  // namespace gantry::broker
