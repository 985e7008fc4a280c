// SPDX-License-Identifier: Apache-2.0
// Requests of administrators: topics, groups, consumers, the broker itself. One file a family; this
// class registers them all. Log shard only.
#pragma once

#include <memory>

#include "broker/core/context.h"

namespace gantry::broker {

class DelayDelivery;
class Retention;

class AdminHandlers {
 public:
  AdminHandlers(BrokerContext& context, DelayDelivery& delays, Retention& retention);
  void register_handlers(Dispatcher& dispatcher);

 private:
  BrokerContext& context_;
  DelayDelivery& delays_;
  Retention& retention_;
  std::unique_ptr<runtime::Timer> sample_timer_;
};

}  // namespace gantry::broker
