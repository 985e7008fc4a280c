// SPDX-License-Identifier: Apache-2.0
#include "broker/send/message_appender.h"

#include "log/log.h"

namespace gantry::broker {
namespace {
log::Logger logger("append");
constexpr std::chrono::milliseconds kSweepPeriod{100};
}  // namespace

PutFailure put_failure(const Error& error) {
  using protocol::ResponseCode;
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return {ResponseCode::kMessageIllegal,
              "the message is illegal, maybe msg body or properties length not matched. msg body "
              "length limit 4M, msg properties length limit 32k: " +
                  error.message};
    case ErrorCode::kDiskFull:
      return {ResponseCode::kServiceNotAvailable,
              "service not available now. It may be caused by one of the following reasons: the "
              "broker's disk is full: " +
                  error.message};
    case ErrorCode::kBusy:
      return {ResponseCode::kSystemBusy,
              "[PC_SYNCHRONIZED]broker busy, start flow control for a while: " + error.message};
    case ErrorCode::kUnavailable:
      return {ResponseCode::kServiceNotAvailable, "service not available now: " + error.message};
    default:
      return {ResponseCode::kSystemError, error.message};
  }
}

MessageAppender::MessageAppender(BrokerContext& context) : context_(context) {
  context_.storage.add_observer(*this);
  timer_ = context_.shard.every(kSweepPeriod, [this] { sweep_timeouts(); });
}

MessageAppender::~MessageAppender() { context_.storage.remove_observer(*this); }

Result<Appended> MessageAppender::append(const OutgoingMessage& message) {
  replog::Log& log = context_.storage.log();
  protocol::RecordFields fields;
  fields.topic = message.topic;
  fields.queue_id = message.queue_id;
  fields.flag = message.flag;
  fields.sys_flag = message.sys_flag;
  fields.born_timestamp_ms = message.born_timestamp_ms;
  fields.born_host = message.born_host;
  fields.reconsume_times = message.reconsume_times;
  fields.prepared_transaction_offset = message.prepared_transaction_offset;
  fields.body = message.body;
  fields.properties = message.properties;
  fields.store_host = context_.store_host;
  if (message.properties.size() + protocol::kCrcPropertyBytes > protocol::kPropertiesBytesMax) {
    ++context_.stats.put_failed;
    return make_error(ErrorCode::kInvalidArgument, "properties are longer than 32767 bytes");
  }
  const std::size_t size = protocol::encoded_size(fields);
  const auto place = log.reserve(size);
  if (!place) {
    ++context_.stats.put_failed;
    return std::unexpected(place.error());
  }
  store::ConsumeQueue& queue = context_.storage.queues().get(message.topic, message.queue_id);
  fields.position = place->position;
  fields.queue_offset = queue.next();
  fields.store_timestamp_ms = log.store_time_ms();
  protocol::encode_record(fields, place->data);
  log.publish(*place);
  queue.take_next();
  context_.stats.count_put(message.topic, message.type, size, message.body.size());
  return Appended{place->position, place->position + static_cast<std::int64_t>(size),
                  fields.queue_offset};
}

void MessageAppender::when_committed(LogPosition end, OnCommit done) {
  waiters_.push_back({end, context_.clock.steady_us(), std::move(done)});
}

void MessageAppender::on_committed(LogPosition position) {
  while (!waiters_.empty() && waiters_.front().end <= position) {
    Waiter waiter = std::move(waiters_.front());
    waiters_.pop_front();
    waiter.done(Outcome::kCommitted);
  }
}

void MessageAppender::sweep_timeouts() {
  const std::int64_t limit =
      context_.clock.steady_us() - context_.config.sync_flush_timeout_ms * 1000;
  while (!waiters_.empty() && waiters_.front().since_us < limit) {
    Waiter waiter = std::move(waiters_.front());
    waiters_.pop_front();
    waiter.done(Outcome::kFlushTimeout);
  }
}

void MessageAppender::stop() {
  while (!waiters_.empty()) {
    Waiter waiter = std::move(waiters_.front());
    waiters_.pop_front();
    waiter.done(Outcome::kStopped);
  }
}

}  // namespace gantry::broker
