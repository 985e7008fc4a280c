// SPDX-License-Identifier: Apache-2.0
// The broker's configuration: 25 changes it, 26 shows it. Log shard only.
#pragma once

#include "broker/core/context.h"

namespace gantry::broker {

void register_config_admin(BrokerContext& context, Dispatcher& dispatcher);

}  // namespace gantry::broker
