// SPDX-License-Identifier: Apache-2.0
// The broker itself: configuration (25, 26), run-time figures (28), rates (315), replication (907),
// a consumer's configuration check (46), deleting expired files (329).
#pragma once

#include "broker/core/context.h"

namespace gantry::broker {

class DelayDelivery;
class Retention;

void register_broker_admin(BrokerContext& context, DelayDelivery& delays, Retention& retention,
                           Dispatcher& dispatcher);

}  // namespace gantry::broker
