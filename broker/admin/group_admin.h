// SPDX-License-Identifier: Apache-2.0
// Subscription groups: create and change (200, 225), delete (207), list (201, 352), forbid (353),
// and what a group has to do with (343, 345).
#pragma once

#include "broker/core/context.h"

namespace gantry::broker {

void register_group_admin(BrokerContext& context, Dispatcher& dispatcher);

}  // namespace gantry::broker
