// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/admin_handlers.h"

#include "broker/admin/topic_admin.h"

namespace gantry::broker {

void AdminHandlers::register_handlers(Dispatcher& dispatcher) {
  register_topic_admin(context_, dispatcher);
}

}  // namespace gantry::broker
