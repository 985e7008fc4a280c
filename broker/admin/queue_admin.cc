// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/queue_admin.h"

#include <fmt/core.h>

#include <algorithm>

#include "broker/admin/admin_util.h"
#include "broker/client/client_manager.h"
#include "broker/offset/offset_handlers.h"
#include "broker/pull/message_filter.h"
#include "protocol/consume_time_span.h"
#include "protocol/query_consume_queue.h"

namespace gantry::broker {
namespace {

using protocol::Command;
using protocol::CommandView;
using protocol::RequestCode;
using protocol::ResponseCode;
constexpr std::int32_t kEntriesMax = 4096;

protocol::QueueTimeSpan time_span(BrokerContext& context, LogLookup& lookup,
                                  const std::string& topic, std::string_view group,
                                  std::int32_t id) {
  protocol::QueueTimeSpan span;
  span.message_queue = {topic, context.config.broker_name, id};
  const auto* queue = context.storage.queues().find(topic, id);
  if (queue == nullptr) return span;
  const auto time_at = [&](QueueOffset offset) {
    return store_time_at(context, lookup, topic, id, offset);
  };
  span.min_timestamp_ms = time_at(queue->min()).value_or(-1);
  span.max_timestamp_ms = time_at(queue->max() - 1).value_or(-1);
  const auto consumed = context.storage.offsets().query(group, topic, id);
  span.consume_timestamp_ms = consumed && consumed->v > 0
                                  ? time_at(*consumed - 1).value_or(span.min_timestamp_ms)
                                  : span.min_timestamp_ms;
  const QueueOffset next = consumed.value_or(QueueOffset(0));
  if (next < queue->max()) {
    if (const auto next_ms = time_at(std::max(next, queue->min()))) {
      span.delay_time_ms = std::max<std::int64_t>(0, context.clock.wall_ms() - *next_ms);
    }
  }
  return span;
}

void on_time_span(BrokerContext& context, net::Connection& connection, const CommandView& request) {
  answer_from_log(
      context, connection, request,
      [&context, topic = std::string(request.ext.get("topic")),
       group = std::string(request.ext.get("group"))](LogLookup& lookup) {
        const auto* config = context.storage.proposals().find_topic(topic);
        if (config == nullptr) {
          return Command::response(static_cast<std::int32_t>(ResponseCode::kTopicNotExist),
                                   fmt::format("topic[{}] not exist", topic));
        }
        protocol::QueryConsumeTimeSpan body;
        for (std::int32_t id = 0; id < config->write_queue_nums; ++id) {
          body.consume_time_span_set.push_back(time_span(context, lookup, topic, group, id));
        }
        return response_with_body(body.to_json());
      });
}

void on_query_queue(BrokerContext& context, net::Connection& connection,
                    const CommandView& request) {
  const std::string_view topic = request.ext.get("topic");
  const std::int32_t queue_id = request.ext.get_int32("queueId").value_or(0);
  const std::int64_t index = request.ext.get_int64("index").value_or(0);
  const std::int32_t count = std::clamp(request.ext.get_int32("count").value_or(0), 0, kEntriesMax);
  const std::string_view group = request.ext.get("consumerGroup");
  store::ConsumeQueue* queue = context.storage.queues().find(topic, queue_id);
  if (queue == nullptr) {
    return respond(connection, request, ResponseCode::kSystemError,
                   fmt::format("{}@{} is not exist!", queue_id, topic));
  }
  protocol::QueryConsumeQueueResponse body;
  body.min_queue_index = queue->min().v;
  body.max_queue_index = queue->max().v;
  MessageFilter filter;
  if (const ConsumerGroup* online = group.empty() ? nullptr : context.clients->consumers(group)) {
    if (const auto* data = online->subscription(topic)) {
      body.subscription_data = *data;
      filter = MessageFilter(*data);
    }
  }
  std::vector<store::QueueEntry> entries(static_cast<std::size_t>(count));
  std::size_t got = 0;
  while (got < entries.size()) {
    const auto n = queue->read(QueueOffset(index) + static_cast<std::int64_t>(got),
                               std::span(entries).subspan(got));
    if (!n) return respond(connection, request, ResponseCode::kSystemError, n.error().message);
    if (*n == 0) break;
    got += *n;
  }
  if (got == 0) {
    return respond(connection, request, ResponseCode::kSuccess,
                   fmt::format("Index {} of {}@{} is not exist!", index, queue_id, topic));
  }
  for (std::size_t i = 0; i < got; ++i) {
    protocol::ConsumeQueueEntry entry;
    entry.physic_offset = entries[i].position.v;
    entry.physic_size = entries[i].size;
    entry.tags_code = entries[i].tags_code;
    entry.eval = filter.matches(entries[i].tags_code);
    body.queue_data.push_back(std::move(entry));
  }
  respond_body(connection, request, body.to_json());
}

}  // namespace

void register_queue_admin(BrokerContext& context, Dispatcher& dispatcher) {
  dispatcher.add(RequestCode::kQueryConsumeTimeSpan, bind_admin(context, on_time_span));
  dispatcher.add(RequestCode::kQueryConsumeQueue, bind_admin(context, on_query_queue));
}

}  // namespace gantry::broker
