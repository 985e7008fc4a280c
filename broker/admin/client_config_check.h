// SPDX-License-Identifier: Apache-2.0
// Code 46: a consumer asks whether the broker can serve its subscription.
#pragma once

#include "broker/core/context.h"

namespace gantry::broker {

void register_client_config_check(BrokerContext& context, Dispatcher& dispatcher);

}  // namespace gantry::broker
