// SPDX-License-Identifier: Apache-2.0
// Messages by key (code 12) and by position (code 33). Log shard only; index files and
// records that are not in memory are read on threads of their own.
#pragma once

#include "broker/core/context.h"

namespace gantry::broker {

void register_query_handlers(BrokerContext& context, Dispatcher& dispatcher);

}  // namespace gantry::broker
