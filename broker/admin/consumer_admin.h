// SPDX-License-Identifier: Apache-2.0
// Consumers and producers: who is connected (203, 204, 328), how far groups are (208, 317), moving
// their offsets (222, 308, 314, 43, 45), and questions relayed to one client (223, 307, 309).
#pragma once

#include "broker/core/context.h"

namespace gantry::broker {

void register_consumer_admin(BrokerContext& context, Dispatcher& dispatcher);
void register_client_relay(BrokerContext& context, Dispatcher& dispatcher);  // 223, 307, 309

}  // namespace gantry::broker
