// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/topic_admin.h"

#include <fmt/core.h>

#include <algorithm>

#include "broker/admin/admin_util.h"
#include "broker/client/client_manager.h"
#include "broker/core/stats.h"
#include "broker/offset/offset_handlers.h"
#include "protocol/topic_list.h"
#include "protocol/topic_stats_table.h"
#include "state/name_rules.h"
#include "state/system_topics.h"
#include "state/topic_rules.h"

namespace gantry::broker {
namespace {

using protocol::Command;
using protocol::CommandView;
using protocol::RequestCode;
using protocol::ResponseCode;

// Names that may be created, changed and deleted; answers 29 otherwise.
bool check_topic_name(BrokerContext& context, net::Connection& connection,
                      const CommandView& request, std::string_view topic) {
  if (const auto valid = state::validate_topic_name(topic); !valid) {
    respond(connection, request, ResponseCode::kInvalidParameter, valid.error().message);
    return false;
  }
  if (context.storage.system_topics().is_system_topic(topic)) {
    respond(connection, request, ResponseCode::kInvalidParameter,
            state::system_topic_remark(topic));
    return false;
  }
  return true;
}

void on_create_topic(BrokerContext& context, net::Connection& connection,
                     const CommandView& request) {
  const protocol::ExtFields& ext = request.ext;
  protocol::TopicConfig config;
  config.topic_name = ext.get("topic");
  if (!check_topic_name(context, connection, request, config.topic_name)) return;
  const auto read = ext.get_int32("readQueueNums");
  const auto write = ext.get_int32("writeQueueNums");
  const auto perm = ext.get_int32("perm");
  if (!read || !write || !perm || *read < 0 || *write < 0) {
    return respond(
        connection, request, ResponseCode::kSystemError,
        "one of the custom fields <readQueueNums>, <writeQueueNums>, <perm> is null or illegal");
  }
  config.read_queue_nums = *read;
  config.write_queue_nums = *write;
  config.perm = *perm;
  config.topic_sys_flag = ext.get_int32("topicSysFlag").value_or(0);
  config.order = ext.get_bool("order", false);
  const auto filter = protocol::topic_filter_type_from_name(ext.get("topicFilterType"));
  if (!filter)
    return respond(connection, request, ResponseCode::kSystemError, filter.error().message);
  config.topic_filter_type = *filter;
  const protocol::TopicConfig* current = context.storage.proposals().find_topic(config.topic_name);
  auto attributes = state::alter_topic_attributes(
      current != nullptr ? &current->attributes : nullptr, ext.get("attributes"));
  if (!attributes) {
    return respond(connection, request, ResponseCode::kSystemError, attributes.error().message);
  }
  config.attributes = std::move(*attributes);
  context.storage.proposals().put_topics({config}, respond_when_done(context, connection, request));
}

void on_create_topic_list(BrokerContext& context, net::Connection& connection,
                          const CommandView& request) {
  auto list = protocol::TopicConfigList::from_json(request.body);
  if (!list) return respond(connection, request, ResponseCode::kSystemError, list.error().message);
  for (const protocol::TopicConfig& config : list->configs) {
    if (!check_topic_name(context, connection, request, config.topic_name)) return;
  }
  context.storage.proposals().put_topics(std::move(list->configs),
                                         respond_when_done(context, connection, request));
}

void on_delete_topic(BrokerContext& context, net::Connection& connection,
                     const CommandView& request) {
  const std::string topic(request.ext.get("topic"));
  if (topic.empty()) {
    return respond(connection, request, ResponseCode::kInvalidParameter,
                   "The specified topic is blank.");
  }
  if (!check_topic_name(context, connection, request, topic)) return;
  std::vector<std::string> names = {topic};
  for (const std::string& group : context.storage.offsets().groups_of(topic)) {
    for (const char* separator : {"_", "+"}) {
      const std::string retry = state::retry_topic(group) + separator + topic;
      if (context.storage.proposals().find_topic(retry) != nullptr) names.push_back(retry);
    }
  }
  context.storage.proposals().delete_topics(std::move(names),
                                            respond_when_done(context, connection, request));
}

void on_all_topics(BrokerContext& context, net::Connection& connection,
                   const CommandView& request) {
  const state::TopicTable& table = context.storage.state().topics();
  protocol::TopicConfigTable body;
  body.data_version = table.data_version();
  for (const protocol::TopicConfig* topic : table.all())
    body.topics.emplace(topic->topic_name, *topic);
  // All of them on one page, whatever page was asked for.
  respond_body(connection, request, body.to_json());
}

void on_topic_config(BrokerContext& context, net::Connection& connection,
                     const CommandView& request) {
  const std::string_view topic = request.ext.get("topic");
  const auto* config = context.storage.proposals().find_topic(topic);
  if (config == nullptr) {
    return respond(connection, request, ResponseCode::kTopicNotExist,
                   fmt::format("No topic in this broker. topic: {}", topic));
  }
  respond_body(connection, request, config->to_json());
}

void on_topic_stats(BrokerContext& context, net::Connection& connection,
                    const CommandView& request) {
  answer_from_log(
      context, connection, request,
      [&context, topic = std::string(request.ext.get("topic"))](LogLookup& lookup) {
        const auto* config = context.storage.proposals().find_topic(topic);
        if (config == nullptr) {
          return protocol::Command::response(
              static_cast<std::int32_t>(ResponseCode::kTopicNotExist),
              fmt::format("topic[{}] not exist", topic));
        }
        protocol::TopicStatsTable body;
        const std::int32_t queues = std::max(config->read_queue_nums, config->write_queue_nums);
        for (std::int32_t id = 0; id < queues; ++id) {
          auto& entry = body.offset_table[{topic, context.config.broker_name, id}];
          const auto* queue = context.storage.queues().find(topic, id);
          if (queue == nullptr) continue;
          entry.min_offset = queue->min().v;
          entry.max_offset = queue->max().v;
          if (queue->max().v == 0) continue;
          entry.last_update_timestamp_ms =
              store_time_at(context, lookup, topic, id, queue->max() - 1).value_or(0);
        }
        body.topic_put_tps = context.stats.item(StatName::kTopicPutNums, topic).minute().tps;
        return response_with_body(body.to_json());
      });
}

void on_system_topics(BrokerContext& context, net::Connection& connection,
                      const CommandView& request) {
  protocol::TopicList list;
  list.topics = context.storage.system_topics().names();
  respond_body(connection, request, list.to_json());
}

void on_consumed_by_who(BrokerContext& context, net::Connection& connection,
                        const CommandView& request) {
  const std::string_view topic = request.ext.get("topic");
  protocol::GroupList list;
  list.groups = context.clients->groups_subscribing(topic);
  for (std::string& group : context.storage.offsets().groups_of(topic)) {
    if (std::ranges::find(list.groups, group) == list.groups.end())
      list.groups.push_back(std::move(group));
  }
  respond_body(connection, request, list.to_json());
}

void on_success(BrokerContext& /*context*/, net::Connection& connection,
                const CommandView& request) {
  respond(connection, request, ResponseCode::kSuccess);
}

}  // namespace

void register_topic_admin(BrokerContext& context, Dispatcher& dispatcher) {
  const auto add = [&](RequestCode code, AdminFunction f) {
    dispatcher.add(code, bind_admin(context, f));
  };
  add(RequestCode::kUpdateAndCreateTopic, on_create_topic);
  add(RequestCode::kUpdateAndCreateTopicList, on_create_topic_list);
  add(RequestCode::kDeleteTopicInBroker, on_delete_topic);
  add(RequestCode::kGetAllTopicConfig, on_all_topics);
  add(RequestCode::kGetTopicConfig, on_topic_config);
  add(RequestCode::kGetTopicStatsInfo, on_topic_stats);
  add(RequestCode::kGetSystemTopicListFromBroker, on_system_topics);
  add(RequestCode::kQueryTopicConsumeByWho, on_consumed_by_who);
  // Queues hold nothing below the log's begin: trimming removes it at once, there is nothing to
  // clean.
  add(RequestCode::kCleanExpiredConsumeQueue, on_success);
  // Queues of deleted topics go with the topic.
  add(RequestCode::kCleanUnusedTopic, on_success);
}

}  // namespace gantry::broker
