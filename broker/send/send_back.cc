// SPDX-License-Identifier: Apache-2.0
// Code 36: a consumer gives a message back, to be delivered again later or to be dead-lettered.
#include <fmt/core.h>

#include "broker/core/groups.h"
#include "broker/core/log_lookup.h"
#include "broker/send/send_service.h"
#include "protocol/properties.h"
#include "state/name_rules.h"

namespace gantry::broker {
namespace {

using protocol::ResponseCode;
constexpr std::int32_t kVersionMaxReconsume = 121;
constexpr std::int32_t kFirstRetryLevel = 3;

}  // namespace

// What a consumer asked for, checked.
struct SendService::SendBack {
  std::string group;
  LogPosition offset;
  std::int32_t delay_level = 0;
  std::int32_t limit = 0;  // deliveries before the dead-letter topic
  std::int32_t retry_queues = 0;
};

void SendService::on_send_back(net::Connection& connection, const protocol::CommandView& request) {
  const auto offset = request.ext.get_int64("offset");
  const auto delay_level = request.ext.get_int32("delayLevel");
  const std::string group(request.ext.get("group"));
  if (!offset || !delay_level || group.empty()) {
    return respond(
        connection, request, ResponseCode::kSystemError,
        "one of the custom fields <offset>, <group>, <delayLevel> is missing or illegal");
  }
  const auto* config = find_or_create_group(context_, group);
  if (config == nullptr) {
    return respond(connection, request, ResponseCode::kSubscriptionGroupNotExist,
                   fmt::format("subscription group not exist, {}", group));
  }
  if ((context_.config.broker_permission & protocol::kPermWrite) == 0) {
    return respond(
        connection, request, ResponseCode::kNoPermission,
        fmt::format("the broker[{}] sending message is forbidden", context_.config.broker_ip1));
  }
  if (config->retry_queue_nums <= 0) return respond(connection, request, ResponseCode::kSuccess);
  std::int32_t limit = config->retry_max_times;
  if (request.version >= kVersionMaxReconsume) {
    if (const auto asked = request.ext.get_int32("maxReconsumeTimes")) limit = *asked;
  }
  const SendBack back{.group = group,
                      .offset = LogPosition(*offset),
                      .delay_level = *delay_level,
                      .limit = limit,
                      .retry_queues = config->retry_queue_nums};
  const protocol::TopicConfig* topic =
      topics_.retry_topic(group, back.retry_queues, request.ext.get_bool("unitMode", false));
  if (topic == nullptr) {
    return respond(connection, request, ResponseCode::kSystemError,
                   fmt::format("topic[{}] not exist", state::retry_topic(group)));
  }
  if ((topic->perm & protocol::kPermWrite) == 0) {
    return respond(connection, request, ResponseCode::kNoPermission,
                   fmt::format("the topic[{}] sending message is forbidden", topic->topic_name));
  }
  look_up(context_.storage.log(),
          [this, back,
           responder = Responder(context_.connections, connection, request)](LogLookup& lookup) {
            const auto stored = lookup.record(back.offset);
            if (!lookup.complete()) return;
            const auto record =
                stored ? protocol::decode_record(*stored) : std::unexpected(stored.error());
            if (record) return send_back(back, *record, responder);
            responder.send(ResponseCode::kSystemError,
                           fmt::format("look message by offset failed, {}", back.offset.v));
          });
}

void SendService::send_back(const SendBack& back, const protocol::RecordView& record,
                            const Responder& responder) {
  namespace property = protocol::property;
  const protocol::RecordFields original = protocol::fields_of(record);
  auto properties = protocol::Properties::parse(original.properties);
  if (!properties.find(property::kRetryTopic)) properties.set(property::kRetryTopic, record.topic);
  properties.set(property::kWait, "false");
  if (!properties.find(property::kOriginMessageId)) {
    properties.set(property::kOriginMessageId,
                   protocol::message_id(record.store_host, record.position));
  }
  const bool dead_letter = record.reconsume_times >= back.limit || back.delay_level < 0;
  Target target;
  if (dead_letter) {
    const protocol::TopicConfig* dlq = topics_.dlq_topic(back.group);
    if (dlq == nullptr) {
      return responder.send(ResponseCode::kSystemError,
                            fmt::format("topic[{}] not exist", state::dlq_topic(back.group)));
    }
    dlq_topic_ = dlq->topic_name;
    target = {dlq_topic_, 0, MessageType::kNormal};
    properties.erase(property::kDelay);
    properties.erase(property::kRealTopic);
    properties.erase(property::kRealQueueId);
    properties_ = properties.text();
  } else {
    const std::int32_t level = context_.storage.delay_levels().clamp(
        back.delay_level == 0 ? kFirstRetryLevel + record.reconsume_times : back.delay_level);
    delay_topic_ = state::retry_topic(back.group);
    target = {delay_topic_,
              back.retry_queues == 1
                  ? 0
                  : static_cast<std::int32_t>(next_random_queue_++ %
                                              static_cast<std::uint32_t>(back.retry_queues)),
              MessageType::kDelay};
    properties.set(property::kDelay, std::to_string(level));
    properties.erase(property::kRealTopic);
    properties.erase(property::kRealQueueId);
    properties_ = properties.text();
    redirect_delay(level, target);
  }

  OutgoingMessage message;
  message.topic = target.topic;
  message.queue_id = target.queue_id;
  message.type = target.type;
  message.flag = record.flag;
  message.sys_flag =
      record.sys_flag & protocol::sys_flag::kClientMask & ~protocol::sys_flag::kTransactionMask;
  message.born_timestamp_ms = record.born_timestamp_ms;
  message.born_host = record.born_host;
  message.reconsume_times = record.reconsume_times + 1;
  message.body = record.body;
  message.properties = properties_;
  const auto appended = context_.appender->append(message);
  if (!appended) {
    return responder.send(ResponseCode::kSystemError, appended.error().message);
  }
  GroupTopicStats& stats = context_.stats.group_topic(record.topic, back.group);
  ++stats.send_back_messages;
  if (dead_letter) ++stats.dead_letters;
  context_.appender->when_committed(appended->end, [responder](MessageAppender::Outcome outcome) {
    if (outcome == MessageAppender::Outcome::kCommitted) {
      return responder.send(ResponseCode::kSuccess);
    }
    responder.send(ResponseCode::kSystemError, outcome == MessageAppender::Outcome::kFlushTimeout
                                                   ? "FLUSH_DISK_TIMEOUT"
                                                   : "SERVICE_NOT_AVAILABLE");
  });
}

}  // namespace gantry::broker
