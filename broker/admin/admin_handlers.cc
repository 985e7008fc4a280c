// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/admin_handlers.h"

#include "broker/admin/broker_admin.h"
#include "broker/admin/client_config_check.h"
#include "broker/admin/consumer_admin.h"
#include "broker/admin/group_admin.h"
#include "broker/admin/queue_admin.h"
#include "broker/admin/topic_admin.h"
#include "broker/core/stats.h"

namespace gantry::broker {

namespace {
constexpr std::chrono::seconds kSamplePeriod{10};
}

AdminHandlers::AdminHandlers(BrokerContext& context, DelayDelivery& delays, Retention& retention)
    : context_(context), delays_(delays), retention_(retention) {
  const auto sample = [this] {
    context_.stats.sample(context_.clock.wall_ms(), context_.config.broker_cluster_name);
  };
  sample();
  sample_timer_ = context_.shard.every(kSamplePeriod, sample);
}

void AdminHandlers::register_handlers(Dispatcher& dispatcher) {
  register_topic_admin(context_, dispatcher);
  register_queue_admin(context_, dispatcher);
  register_group_admin(context_, dispatcher);
  register_consumer_admin(context_, dispatcher);
  register_client_relay(context_, dispatcher);
  register_client_config_check(context_, dispatcher);
  register_broker_admin(context_, delays_, retention_, dispatcher);
}

}  // namespace gantry::broker
