// SPDX-License-Identifier: Apache-2.0
// Messages by key (code 12) and by position (code 33). Log shard only; index files are read on the
// index's own thread.
#pragma once

#include "broker/core/context.h"

namespace gantry::broker {

void register_query_handlers(BrokerContext& context, Dispatcher& dispatcher);

}  // namespace gantry::broker
