// SPDX-License-Identifier: Apache-2.0
// Requests of administrators: topics, groups, consumers, the broker itself. One file a family; this
// class registers them all. Log shard only.
#pragma once

#include "broker/core/context.h"

namespace gantry::broker {

class DelayDelivery;

class AdminHandlers {
 public:
  AdminHandlers(BrokerContext& context, DelayDelivery& delays) : context_(context), delays_(delays) {}
  void register_handlers(Dispatcher& dispatcher);

 private:
  BrokerContext& context_;
  DelayDelivery& delays_;
};

}  // namespace gantry::broker
