// SPDX-License-Identifier: Apache-2.0
// Topics: create and change (17, 18), delete (215), list (21, 351, 305), statistics (202), who
// consumes one (300), time span (303), queue content (321), cleaning (306, 316, 329).
#pragma once

#include "broker/core/context.h"

namespace gantry::broker {

void register_topic_admin(BrokerContext& context, Dispatcher& dispatcher);

}  // namespace gantry::broker
