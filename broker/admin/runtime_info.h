// SPDX-License-Identifier: Apache-2.0
// The table of code 28: what mqadmin, the dashboard and the exporter show of a broker. Keys and
// formats are RocketMQ's; the exporter gives up on a broker when one it parses is missing.
#pragma once

#include "broker/core/context.h"
#include "broker/core/log_lookup.h"
#include "protocol/kv_table.h"

namespace gantry::broker {

class DelayDelivery;
class Retention;

// A pass of look_up().
protocol::KVTable runtime_info(BrokerContext& context, LogLookup& lookup,
                               const DelayDelivery& delays, const Retention& retention,
                               std::int64_t boot_ms);

}  // namespace gantry::broker
