// SPDX-License-Identifier: Apache-2.0
#include "broker/transaction/transactions.h"

#include "broker/transaction/apache_handover.h"

namespace gantry::broker {

using protocol::RequestCode;

Transactions::Transactions(BrokerContext& context)
    : context_(context), ender_(context), end_handler_(context, ender_), checks_(context, ender_) {}

void Transactions::register_handlers(Dispatcher& dispatcher) {
  dispatcher.add(RequestCode::kEndTransaction,
                 [this](net::Connection& connection, const protocol::CommandView& request) {
                   end_handler_.handle(connection, request);
                 });
}

void Transactions::start() {
  ender_.forget_pending();
  checks_.start();
}

std::optional<LogPosition> Transactions::oldest_before(LogPosition limit) const {
  const auto& open = context_.storage.state().transactions().all();
  for (auto it = open.begin(); it != open.end() && it->first < limit; ++it) {
    if (ender_.find(it->first) != nullptr) return it->first;
  }
  return std::nullopt;
}

void Transactions::leave() {
  checks_.stop();
  leave_transactions(context_, ender_);
}

void Transactions::stop() {
  checks_.stop();
  ender_.forget_pending();
}

}  // namespace gantry::broker
