// SPDX-License-Identifier: Apache-2.0
#include "broker/client/lock_handlers.h"

#include "broker/client/queue_locks.h"
#include "protocol/lock_batch.h"

namespace gantry::broker {
namespace {

using protocol::CommandView;
using protocol::RequestCode;
using protocol::ResponseCode;

void on_lock(BrokerContext& context, net::Connection& connection, const CommandView& request) {
  const auto body = protocol::LockBatchRequest::from_json(request.body);
  if (!body) return respond(connection, request, ResponseCode::kSystemError, body.error().message);
  protocol::LockBatchResponse held;
  held.lock_ok_mq_set = context.locks->lock(body->consumer_group, body->client_id, body->mq_set,
                                            context.clock.wall_ms());
  protocol::Command response = protocol::Command::response(0);
  response.body = held.to_json();
  respond(connection, request, std::move(response));
}

void on_unlock(BrokerContext& context, net::Connection& connection, const CommandView& request) {
  const auto body = protocol::LockBatchRequest::from_json(request.body);
  if (!body) return respond(connection, request, ResponseCode::kSystemError, body.error().message);
  context.locks->unlock(body->consumer_group, body->client_id, body->mq_set);
  respond(connection, request, ResponseCode::kSuccess);
}

}  // namespace

void register_lock_handlers(BrokerContext& context, Dispatcher& dispatcher) {
  dispatcher.add(RequestCode::kLockBatchMq,
                 [&context](net::Connection& c, const CommandView& r) { on_lock(context, c, r); });
  dispatcher.add(RequestCode::kUnlockBatchMq, [&context](net::Connection& c, const CommandView& r) {
    on_unlock(context, c, r);
  });
}

}  // namespace gantry::broker
