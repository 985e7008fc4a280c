// SPDX-License-Identifier: Apache-2.0
// Transactional messages of a broker: outcomes from producers, checks with them, and what is left
// behind for Apache RocketMQ. Half messages are stored by SendService; which transactions are open
// is part of the replicated state. Owned by BrokerApp, log shard only.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "broker/core/context.h"
#include "broker/transaction/check_service.h"
#include "broker/transaction/end_handler.h"
#include "broker/transaction/transaction_ender.h"

namespace gantry::broker {

class Transactions {
 public:
  explicit Transactions(BrokerContext& context);

  void register_handlers(Dispatcher& dispatcher);  // 37
  // This member leads, and may decide.
  void start();
  // It does not any more.
  void stop();
  // The oldest one that is open below `limit`.
  std::optional<LogPosition> oldest_before(LogPosition limit) const;
  // Moves what is open below `limit` to TRANS_CHECK_MAX_TIME_TOPIC, as far as that is possible.
  void give_up_before(LogPosition limit, std::move_only_function<void()> done) {
    checks_.give_up_before(limit, std::move(done));
  }
  // Before the clean stop of the store.
  void leave();

  const TransactionEnder& ender() const { return ender_; }
  const CheckService& checks() const { return checks_; }

 private:
  BrokerContext& context_;
  TransactionEnder ender_;
  EndHandler end_handler_;
  CheckService checks_;
};

}  // namespace gantry::broker
