// SPDX-License-Identifier: Apache-2.0
#include "broker/client/lock_handlers.h"

#include "broker/client/queue_locks.h"
#include "protocol/lock_batch.h"

namespace gantry::broker {
namespace {

using protocol::CommandView;
using protocol::RequestCode;
using protocol::ResponseCode;

std::vector<state::LockedQueue> locked_queues(const std::vector<protocol::MessageQueue>& queues) {
  std::vector<state::LockedQueue> out;
  out.reserve(queues.size());
  for (const protocol::MessageQueue& queue : queues) out.push_back(locked_queue(queue));
  return out;
}

void on_lock(BrokerContext& context, net::Connection& connection, const CommandView& request) {
  const auto body = protocol::LockBatchRequest::from_json(request.body);
  if (!body) return respond(connection, request, ResponseCode::kSystemError, body.error().message);
  const std::int64_t now_ms = context.clock.wall_ms();
  protocol::LockBatchResponse held;
  held.lock_ok_mq_set =
      context.locks->lock(body->consumer_group, body->client_id, body->mq_set, now_ms);
  protocol::Command response = protocol::Command::response(0);
  response.body = held.to_json();
  if (held.lock_ok_mq_set.empty()) return respond(connection, request, std::move(response));
  context.storage.proposals().lock_queues(
      body->consumer_group, body->client_id, locked_queues(held.lock_ok_mq_set), now_ms,
      context.locks->expired_before(now_ms),
      [responder = Responder(context.connections, connection, request),
       response = std::move(response)](const Result<void>& done) mutable {
        if (done) return responder.send(std::move(response));
        responder.send(ResponseCode::kServiceNotAvailable, done.error().message);
      });
}

void on_unlock(BrokerContext& context, net::Connection& connection, const CommandView& request) {
  const auto body = protocol::LockBatchRequest::from_json(request.body);
  if (!body) return respond(connection, request, ResponseCode::kSystemError, body.error().message);
  context.locks->unlock(body->consumer_group, body->client_id, body->mq_set);
  context.storage.proposals().unlock_queues(
      body->consumer_group, body->client_id, locked_queues(body->mq_set),
      [responder = Responder(context.connections, connection, request)](const Result<void>& done) {
        if (done) return responder.send(ResponseCode::kSuccess);
        responder.send(ResponseCode::kServiceNotAvailable, done.error().message);
      });
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
