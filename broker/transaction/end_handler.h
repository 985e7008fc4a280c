// SPDX-License-Identifier: Apache-2.0
// END_TRANSACTION (37): a producer says what becomes of its half message. Checked by RocketMQ's
// rules, answered when the outcome is committed. Leader only, log shard only; owned by
// Transactions.
#pragma once

#include "broker/core/context.h"
#include "broker/core/log_lookup.h"
#include "broker/transaction/end_request.h"
#include "broker/transaction/transaction_ender.h"

namespace gantry::broker {

class EndHandler {
 public:
  EndHandler(BrokerContext& context, TransactionEnder& ender) : context_(context), ender_(ender) {}

  void handle(net::Connection& connection, const protocol::CommandView& request);

 private:
  void find_half(EndRequest request, const Responder& responder);
  void end(const EndRequest& request, const protocol::RecordView& half, const Responder& responder);
  // Why the request must not end that half message; nullopt: it may.
  std::optional<PutFailure> refusal(const EndRequest& request,
                                    const protocol::RecordView& half) const;

  BrokerContext& context_;
  TransactionEnder& ender_;
};

}  // namespace gantry::broker
