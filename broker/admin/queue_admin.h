// SPDX-License-Identifier: Apache-2.0
// A look into queues: what a group's messages span in time (303) and what a consume queue holds
// (321).
#pragma once

#include "broker/core/context.h"

namespace gantry::broker {

void register_queue_admin(BrokerContext& context, Dispatcher& dispatcher);

}  // namespace gantry::broker
