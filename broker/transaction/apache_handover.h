// SPDX-License-Identifier: Apache-2.0
// What Apache RocketMQ needs to go on with our transactions: the offset up to which its check
// service need not look, and op records for what has ended behind that. Log shard only.
#pragma once

#include "broker/core/context.h"
#include "broker/transaction/transaction_ender.h"

namespace gantry::broker {

// Before a clean stop of a broker that is alone; without effect elsewhere. What is appended is
// committed with the log's last sync.
void leave_transactions(BrokerContext& context, const TransactionEnder& ender);

}  // namespace gantry::broker
