// SPDX-License-Identifier: Apache-2.0
#include "broker/transaction/end_handler.h"

#include <fmt/core.h>

#include <utility>

#include "broker/core/transaction_records.h"
#include "log/log.h"
#include "protocol/properties.h"
#include "state/system_topics.h"

namespace gantry::broker {
namespace {

using protocol::ResponseCode;
log::Logger logger("transaction");

constexpr const char* kNotFound = "Find prepared transaction message failed";

}  // namespace

void EndHandler::handle(net::Connection& connection, const protocol::CommandView& request) {
  auto end = EndRequest::parse(request);
  if (!end) return respond(connection, request, ResponseCode::kSystemError, end.error().message);
  if (context_.refuses_messages) {
    return respond(connection, request, ResponseCode::kServiceNotAvailable,
                   "service not available now: this broker is in maintenance");
  }
  if (!end->how) return;  // RocketMQ does not answer it; the producer will be asked
  const Responder responder(context_.connections, connection, request);
  const replog::Log& log = context_.storage.log();
  if (end->half < log.committed() || end->half >= log.end()) {
    return find_half(*std::move(end), responder);
  }
  // The producer did not wait for its half message to be stored (WAIT=false): the outcome does.
  context_.appender->when_committed(log.end(), [this, end = *std::move(end), responder](
                                                   MessageAppender::Outcome outcome) mutable {
    if (outcome == MessageAppender::Outcome::kCommitted) {
      return find_half(std::move(end), responder);
    }
    responder.send(ResponseCode::kServiceNotAvailable,
                   "service not available now: the half message is not committed");
  });
}

void EndHandler::find_half(EndRequest request, const Responder& responder) {
  look_up(
      context_.storage.log(), [this, request = std::move(request), responder](LogLookup& lookup) {
        const auto bytes = lookup.record(request.half);
        if (!lookup.complete()) return;
        const auto half = bytes ? protocol::decode_record(*bytes) : std::unexpected(bytes.error());
        if (!half) return responder.send(ResponseCode::kSystemError, kNotFound);
        end(request, *half, responder);
      });
}

std::optional<PutFailure> EndHandler::refusal(const EndRequest& request,
                                              const protocol::RecordView& half) const {
  if (half.topic != state::kTransHalfTopic || half.queue_id != kTransactionQueue) {
    return PutFailure{ResponseCode::kSystemError, kNotFound};
  }
  // Beyond the time that the producer has asked for, only answers to checks count.
  const std::int64_t immunity = immunity_ms(half.properties);
  const std::int64_t age_ms = context_.clock.wall_ms() - half.born_timestamp_ms;
  if (!request.from_check && immunity >= 0 && age_ms > immunity) {
    return PutFailure{ResponseCode::kIllegalOperation,
                      fmt::format("the message is {} ms old, its {} are over: wait for the check",
                                  age_ms, protocol::property::kCheckImmunityTime)};
  }
  const auto group = protocol::find_property(half.properties, protocol::property::kProducerGroup);
  if (!group || *group != request.producer_group) {
    return PutFailure{ResponseCode::kSystemError, "The producer group wrong"};
  }
  if (half.queue_offset != request.half_offset) {
    return PutFailure{ResponseCode::kSystemError, "The transaction state table offset wrong"};
  }
  if (half.position != request.half) {
    return PutFailure{ResponseCode::kSystemError, "The commit log offset wrong"};
  }
  if (ender_.find(half.position) == nullptr) {
    return PutFailure{ResponseCode::kSystemError,
                      fmt::format("{}: the transaction has ended already", kNotFound)};
  }
  return std::nullopt;
}

void EndHandler::end(const EndRequest& request, const protocol::RecordView& half,
                     const Responder& responder) {
  auto refused = refusal(request, half);
  if (!refused) {
    const auto appended = ender_.end(half, *request.how);
    if (appended) {
      return context_.appender->when_committed(
          appended->end, [responder](MessageAppender::Outcome outcome) {
            if (outcome == MessageAppender::Outcome::kCommitted) {
              return responder.send(ResponseCode::kSuccess);
            }
            responder.send(outcome == MessageAppender::Outcome::kFlushTimeout
                               ? ResponseCode::kFlushDiskTimeout
                               : ResponseCode::kServiceNotAvailable,
                           "the outcome is not known to be stored");
          });
    }
    refused = appended.error().code == ErrorCode::kNotFound
                  ? PutFailure{ResponseCode::kTopicNotExist, appended.error().message}
                  : put_failure(appended.error());
  }
  static log::RateLimit limit(10000);
  if (limit.admit()) {
    logger.warn("the outcome of a transaction is refused half={} group={} message={}: {}",
                request.half.v, request.producer_group, request.message_id, refused->remark);
  }
  responder.send(refused->code, std::move(refused->remark));
}

}  // namespace gantry::broker
