// SPDX-License-Identifier: Apache-2.0
// Subscription groups as requests see them: found, or created on first use when
// autoCreateSubscriptionGroup allows it. Log shard only.
#pragma once

#include <string_view>

#include "broker/core/context.h"
#include "protocol/subscription_group_config.h"

namespace gantry::broker {

// Null: unknown and not to be created (disabled, or the name is not allowed). The pointer is valid
// until the next change of the state.
const protocol::SubscriptionGroupConfig* find_or_create_group(BrokerContext& context,
                                                              std::string_view group);

}  // namespace gantry::broker
