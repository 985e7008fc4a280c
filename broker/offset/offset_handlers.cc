// SPDX-License-Identifier: Apache-2.0
#include "broker/offset/offset_handlers.h"

#include <fmt/core.h>

#include "broker/core/memory_shares.h"
#include "runtime/process_limits.h"

namespace gantry::broker {
namespace {

using protocol::Command;
using protocol::CommandView;
using protocol::RequestCode;
using protocol::ResponseCode;

void missing_field(net::Connection& connection, const CommandView& request,
                   std::string_view field) {
  respond(connection, request, ResponseCode::kSystemError,
          fmt::format("the custom field <{}> is null or illegal", field));
}

// Whether the first message of the queue is still near the end of the log: then a new group starts
// at 0 instead of where its consumeFromWhere says.
bool first_message_in_memory(BrokerContext& context, std::string_view topic,
                             std::int32_t queue_id) {
  store::ConsumeQueue* queue = context.storage.queues().find(topic, queue_id);
  if (queue == nullptr || queue->max().v == 0 || queue->min().v > 0) return false;
  const auto entry = queue->at(QueueOffset(0));
  if (!entry || entry->blank()) return false;
  static const std::int64_t memory = runtime::process_limits().memory_bytes;
  return context.storage.log().committed() - entry->position <=
         in_memory_bytes(context.config, memory);
}

void on_query_offset(BrokerContext& context, net::Connection& connection,
                     const CommandView& request) {
  const std::string_view group = request.ext.get("consumerGroup");
  const std::string_view topic = request.ext.get("topic");
  const auto queue_id = request.ext.get_int32("queueId");
  if (group.empty()) return missing_field(connection, request, "consumerGroup");
  if (topic.empty()) return missing_field(connection, request, "topic");
  if (!queue_id) return missing_field(connection, request, "queueId");
  if (const auto offset = context.storage.offsets().query(group, topic, *queue_id)) {
    return respond(connection, request, Command::response(0).with("offset", offset->v));
  }
  if (!context.storage.leading()) {
    return respond(connection, request, ResponseCode::kServiceNotAvailable,
                   "service not available now: this broker has no master at the moment that would "
                   "know whether the group has an offset");
  }
  if (!request.ext.get_bool("setZeroIfNotFound", true)) {
    return respond(connection, request, ResponseCode::kQueryNotFound, "Not found, set to zero");
  }
  if (first_message_in_memory(context, topic, *queue_id)) {
    return respond(connection, request, Command::response(0).with("offset", std::int64_t{0}));
  }
  respond(connection, request, ResponseCode::kQueryNotFound,
          "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first");
}

void on_update_offset(BrokerContext& context, net::Connection& connection,
                      const CommandView& request) {
  const std::string_view group = request.ext.get("consumerGroup");
  const std::string_view topic = request.ext.get("topic");
  const auto queue_id = request.ext.get_int32("queueId");
  const auto offset = request.ext.get_int64("commitOffset");
  if (group.empty()) return missing_field(connection, request, "consumerGroup");
  if (topic.empty()) return missing_field(connection, request, "topic");
  if (!queue_id) return missing_field(connection, request, "queueId");
  if (!offset) return missing_field(connection, request, "commitOffset");
  if (context.storage.proposals().find_group(group) == nullptr) {
    return respond(connection, request, ResponseCode::kSubscriptionGroupNotExist,
                   fmt::format("Group {} not exist!", group));
  }
  if (context.storage.proposals().find_topic(topic) == nullptr) {
    return respond(connection, request, ResponseCode::kTopicNotExist,
                   fmt::format("Topic {} not exist!", topic));
  }
  switch (context.storage.offsets().commit(group, topic, *queue_id, QueueOffset(*offset))) {
    case state::OffsetManager::CommitResult::kStored:
      return respond(connection, request, ResponseCode::kSuccess);
    case state::OffsetManager::CommitResult::kPendingReset:
      return respond(connection, request, ResponseCode::kSuccess,
                     "Offset has been previously reset");
    case state::OffsetManager::CommitResult::kNotLeading:
      return respond(connection, request, ResponseCode::kSystemError,
                     "this broker is not the master");
  }
}

struct QueueRef {
  std::string_view topic;
  std::int32_t queue_id = 0;
};

std::optional<QueueRef> queue_of(net::Connection& connection, const CommandView& request) {
  const std::string_view topic = request.ext.get("topic");
  const auto queue_id = request.ext.get_int32("queueId");
  if (topic.empty()) {
    missing_field(connection, request, "topic");
    return std::nullopt;
  }
  if (!queue_id) {
    missing_field(connection, request, "queueId");
    return std::nullopt;
  }
  return QueueRef{topic, *queue_id};
}

void on_max_offset(BrokerContext& context, net::Connection& connection,
                   const CommandView& request) {
  const auto ref = queue_of(connection, request);
  if (!ref) return;
  const auto* queue = context.storage.queues().find(ref->topic, ref->queue_id);
  respond(connection, request,
          Command::response(0).with("offset", queue != nullptr ? queue->max().v : 0));
}

void on_min_offset(BrokerContext& context, net::Connection& connection,
                   const CommandView& request) {
  const auto ref = queue_of(connection, request);
  if (!ref) return;
  const auto* queue = context.storage.queues().find(ref->topic, ref->queue_id);
  respond(connection, request,
          Command::response(0).with("offset", queue != nullptr ? queue->min().v : 0));
}

void on_earliest_time(BrokerContext& context, net::Connection& connection,
                      const CommandView& request) {
  const auto ref = queue_of(connection, request);
  if (!ref) return;
  answer_from_log(
      context, connection, request,
      [&context, topic = std::string(ref->topic), id = ref->queue_id](LogLookup& lookup) {
        std::int64_t time_ms = -1;
        if (const auto* queue = context.storage.queues().find(topic, id)) {
          time_ms = store_time_at(context, lookup, topic, id, queue->min()).value_or(-1);
        }
        return Command::response(0).with("timestamp", time_ms);
      });
}

void on_search_by_time(BrokerContext& context, net::Connection& connection,
                       const CommandView& request) {
  const auto ref = queue_of(connection, request);
  if (!ref) return;
  const auto timestamp = request.ext.get_int64("timestamp");
  if (!timestamp) return missing_field(connection, request, "timestamp");
  const std::string_view type = request.ext.get("boundaryType");
  const Boundary boundary =
      type == "upper" || type == "UPPER" ? Boundary::kUpper : Boundary::kLower;
  answer_from_log(context, connection, request,
                  [&context, topic = std::string(ref->topic), id = ref->queue_id,
                   time_ms = *timestamp, boundary](LogLookup& lookup) {
                    const QueueOffset offset =
                        offset_by_time(context, lookup, topic, id, time_ms, boundary);
                    return Command::response(0).with("offset", offset.v);
                  });
}

}  // namespace

std::optional<std::int64_t> store_time_at(BrokerContext& context, LogLookup& lookup,
                                          std::string_view topic, std::int32_t queue_id,
                                          QueueOffset offset) {
  store::ConsumeQueue* queue = context.storage.queues().find(topic, queue_id);
  if (queue == nullptr || offset < queue->min() || offset >= queue->max()) return std::nullopt;
  const auto entry = queue->at(offset);
  if (!entry || entry->blank()) return std::nullopt;
  return lookup.store_time_ms(entry->position);
}

QueueOffset offset_by_time(BrokerContext& context, LogLookup& lookup, std::string_view topic,
                           std::int32_t queue_id, std::int64_t timestamp_ms, Boundary boundary) {
  store::ConsumeQueue* queue = context.storage.queues().find(topic, queue_id);
  if (queue == nullptr || queue->max().v == 0) return QueueOffset(0);
  // The first offset whose time is past the boundary: >= timestamp (lower), > timestamp (upper).
  QueueOffset low = queue->min();
  QueueOffset high = queue->max();
  while (low < high) {
    const QueueOffset middle = low + (high - low) / 2;
    // A blank has no time: take the next message's.
    std::optional<std::int64_t> time;
    QueueOffset probe = middle;
    for (; !time && probe < high; ++probe) {
      time = store_time_at(context, lookup, topic, queue_id, probe);
      if (!lookup.complete()) return low;
    }
    const bool past =
        !time || (boundary == Boundary::kLower ? *time >= timestamp_ms : *time > timestamp_ms);
    if (past) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  if (boundary == Boundary::kLower) return low;
  return low == queue->min() ? QueueOffset(0) : low - 1;
}

void register_offset_handlers(BrokerContext& context, Dispatcher& dispatcher) {
  const auto bind = [&context](auto function) {
    return
        [&context, function](net::Connection& c, const CommandView& r) { function(context, c, r); };
  };
  dispatcher.add(RequestCode::kQueryConsumerOffset, bind(on_query_offset));
  dispatcher.add(RequestCode::kUpdateConsumerOffset, bind(on_update_offset));
  dispatcher.add(RequestCode::kGetMaxOffset, bind(on_max_offset));
  dispatcher.add(RequestCode::kGetMinOffset, bind(on_min_offset));
  dispatcher.add(RequestCode::kGetEarliestMsgStoreTime, bind(on_earliest_time));
  dispatcher.add(RequestCode::kSearchOffsetByTimestamp, bind(on_search_by_time));
}

}  // namespace gantry::broker
