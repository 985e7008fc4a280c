// SPDX-License-Identifier: Apache-2.0
// Queue locks of orderly consumers: codes 41 and 42. Log shard only.
#pragma once

#include "broker/core/context.h"

namespace gantry::broker {

void register_lock_handlers(BrokerContext& context, Dispatcher& dispatcher);

}  // namespace gantry::broker
