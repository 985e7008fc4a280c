// SPDX-License-Identifier: Apache-2.0
#include "broker/query/query_handlers.h"

#include <fmt/core.h>

#include <algorithm>

#include "broker/core/delay_levels.h"
#include "broker/core/log_lookup.h"
#include "log/log.h"

namespace gantry::broker {
namespace {

using protocol::Command;
using protocol::CommandView;
using protocol::RequestCode;
using protocol::ResponseCode;
constexpr std::size_t kAnswerBytesMax = 4U << 20;

// A pass of look_up(): the answer once every record was at hand.
void answer_query(LogLookup& lookup, const Responder& responder,
                  const store::KeyQueryResult& found) {
  Command response = Command::response(static_cast<std::int32_t>(ResponseCode::kQueryNotFound),
                                       "can not find message, maybe time range not correct");
  for (const LogPosition position : found.positions) {
    const auto record = lookup.record(position);
    if (!record) continue;  // deleted since, damaged (then it is logged), or not in memory yet
    if (response.body.size() + record->size() > kAnswerBytesMax && !response.body.empty()) break;
    append_served(response.body, *record);
  }
  if (!lookup.complete()) return;
  if (!response.body.empty()) {
    response.code = 0;
    response.remark.reset();
  }
  response.with("indexLastUpdateTimestamp", found.last.store_time_ms);
  response.with("indexLastUpdatePhyoffset", found.last.position.v);
  responder.send(std::move(response));
}

void on_query(BrokerContext& context, net::Connection& connection, const CommandView& request) {
  const std::string topic(request.ext.get("topic"));
  const std::string key(request.ext.get("key"));
  const auto max = request.ext.get_int32("maxNum");
  const auto begin = request.ext.get_int64("beginTimestamp");
  const auto end = request.ext.get_int64("endTimestamp");
  if (topic.empty() || key.empty() || !max || !begin || !end) {
    return respond(connection, request, ResponseCode::kSystemError,
                   "one of the custom fields <topic>, <key>, <maxNum>, <beginTimestamp>, "
                   "<endTimestamp> is null or illegal");
  }
  if (context.storage.index() == nullptr) {
    return respond(connection, request, ResponseCode::kSystemError,
                   "the key index is not available");
  }
  store::KeyQuery query;
  query.topic = topic;
  query.key = key;
  const bool unique = request.ext.get_bool("_UNIQUE_KEY_QUERY", false);
  const std::int32_t wanted = unique ? context.config.default_query_max_num : *max;
  query.max = static_cast<std::size_t>(std::clamp(wanted, 0, context.config.max_msgs_num_batch));
  query.begin_ms = *begin;
  query.end_ms = *end;
  const Responder responder(context.connections, connection, request);
  const auto started = context.storage.index()->query_async(
      query, [&context, responder](store::KeyQueryResult found) {
        context.shard.post([&context, responder, found = std::move(found)] {
          look_up(context.storage.log(), [responder, found](LogLookup& lookup) {
            answer_query(lookup, responder, found);
          });
        });
      });
  if (!started) {
    respond(connection, request, ResponseCode::kSystemBusy,
            "[OVERLOAD]system busy, start flow control for a while: " + started.error().message);
  }
}

void on_view(BrokerContext& context, net::Connection& connection, const CommandView& request) {
  const auto offset = request.ext.get_int64("offset");
  if (!offset) {
    return respond(connection, request, ResponseCode::kSystemError,
                   "the custom field <offset> is null or illegal");
  }
  answer_from_log(context, connection, request,
                  [position = LogPosition(*offset)](LogLookup& lookup) {
                    const auto record = lookup.record(position);
                    if (!record) {
                      return Command::response(
                          static_cast<std::int32_t>(ResponseCode::kSystemError),
                          fmt::format("can not find message by the offset, {}", position.v));
                    }
                    Command response = Command::response(0);
                    append_served(response.body, *record);
                    return response;
                  });
}

}  // namespace

void register_query_handlers(BrokerContext& context, Dispatcher& dispatcher) {
  dispatcher.add(RequestCode::kQueryMessage,
                 [&context](net::Connection& c, const CommandView& r) { on_query(context, c, r); });
  dispatcher.add(RequestCode::kViewMessageById,
                 [&context](net::Connection& c, const CommandView& r) { on_view(context, c, r); });
}

}  // namespace gantry::broker
