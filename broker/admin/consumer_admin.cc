// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/consumer_admin.h"

#include <fmt/core.h>

#include <algorithm>

#include "broker/admin/admin_util.h"
#include "broker/client/client_manager.h"
#include "broker/core/groups.h"
#include "broker/core/stats.h"
#include "broker/offset/offset_handlers.h"
#include "protocol/consume_stats.h"
#include "protocol/group_bodies.h"
#include "protocol/reset_offset.h"
#include "state/apache_config.h"
#include "state/name_rules.h"

namespace gantry::broker {
namespace {

using protocol::Command;
using protocol::CommandView;
using protocol::RequestCode;
using protocol::ResponseCode;

protocol::ClientConnection connection_of(const ClientChannel& channel) {
  return {channel.client_id, channel.address, channel.language, channel.version};
}

void on_consumer_connections(BrokerContext& context, net::Connection& connection,
                             const CommandView& request) {
  const std::string_view name = request.ext.get("consumerGroup");
  const ConsumerGroup* group = context.clients->consumers(name);
  if (group == nullptr) {
    return respond(connection, request, ResponseCode::kConsumerNotOnline,
                   fmt::format("the consumer group[{}] not online", name));
  }
  protocol::ConsumerConnection body;
  body.consume_type = group->consume_type;
  body.message_model = group->message_model;
  body.consume_from_where = group->consume_from_where;
  for (const auto& [topic, subscription] : group->subscriptions) {
    body.subscription_table.emplace(topic, subscription.data);
  }
  for (const auto& [id, channel] : group->channels)
    body.connection_set.push_back(connection_of(channel));
  respond_body(connection, request, body.to_json());
}

void on_producer_connections(BrokerContext& context, net::Connection& connection,
                             const CommandView& request) {
  const std::string_view name = request.ext.get("producerGroup");
  const ProducerGroup* group = context.clients->producers(name);
  if (group == nullptr) {
    return respond(connection, request, ResponseCode::kSystemError,
                   fmt::format("the producer group[{}] not exist", name));
  }
  protocol::ProducerConnection body;
  for (const auto& [id, channel] : group->channels)
    body.connection_set.push_back(connection_of(channel));
  respond_body(connection, request, body.to_json());
}

void on_all_producers(BrokerContext& context, net::Connection& connection,
                      const CommandView& request) {
  protocol::ProducerTableInfo body;
  for (const auto& [name, group] : context.clients->all_producers()) {
    for (const auto& [id, c] : group.channels) {
      body.data[name].push_back(
          {c.client_id, "/" + c.address, c.language, c.version, c.last_heartbeat_ms});
    }
  }
  respond_body(connection, request, body.to_json());
}

// Adds all read queues of `topic` as `group` sees them.
void add_topic_stats(BrokerContext& context, std::string_view group, const std::string& topic,
                     protocol::ConsumeStats& stats) {
  const auto* config = context.storage.proposals().find_topic(topic);
  if (config == nullptr) return;
  for (std::int32_t id = 0; id < config->read_queue_nums; ++id) {
    protocol::OffsetWrapper& entry = stats.offset_table[{topic, context.config.broker_name, id}];
    if (const auto* queue = context.storage.queues().find(topic, id)) {
      entry.broker_offset = std::max<std::int64_t>(0, queue->max().v);
    }
    const state::OffsetManager& offsets = context.storage.offsets();
    entry.consumer_offset = offsets.query(group, topic, id).value_or(QueueOffset(0)).v;
    entry.pull_offset = offsets.query_pull_offset(group, topic, id).value_or(QueueOffset(0)).v;
    if (entry.consumer_offset > 0) {
      entry.last_timestamp_ms =
          store_time_at(context, topic, id, QueueOffset(entry.consumer_offset - 1)).value_or(0);
    }
  }
  stats.consume_tps +=
      context.stats.item(StatName::kGroupGetNums, topic + "@" + std::string(group)).minute().tps;
}

void on_consume_stats(BrokerContext& context, net::Connection& connection,
                      const CommandView& request) {
  const std::string_view group = request.ext.get("consumerGroup");
  std::vector<std::string> topics;
  if (const std::string_view topic = request.ext.get("topic"); !topic.empty()) {
    topics.emplace_back(topic);
  } else if (std::string_view list = request.ext.get("topicList"); !list.empty()) {
    while (!list.empty()) {
      const std::size_t end = list.find(';');
      if (end != 0) topics.emplace_back(list.substr(0, end));
      list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    }
  } else {
    topics = context.storage.offsets().topics_of(group);
    // Topics the group no longer subscribes to are left out while it is online.
    if (const ConsumerGroup* online = context.clients->consumers(group)) {
      std::erase_if(topics, [&](const std::string& t) {
        return online->subscription(t) == nullptr && !online->subscriptions.empty();
      });
    }
  }
  protocol::ConsumeStats stats;
  for (const std::string& topic : topics) add_topic_stats(context, group, topic, stats);
  respond_body(connection, request, stats.to_json());
}

void on_broker_consume_stats(BrokerContext& context, net::Connection& connection,
                             const CommandView& request) {
  const bool ordered = request.ext.get_bool("isOrder", false);
  protocol::ConsumeStatsList body;
  body.broker_addr = context.address;
  for (const auto* group : context.storage.state().groups().all()) {
    std::vector<protocol::ConsumeStats> of_group;
    for (const std::string& topic : context.storage.offsets().topics_of(group->group_name)) {
      const auto* config = context.storage.proposals().find_topic(topic);
      if (config == nullptr || (ordered && !config->order)) continue;
      protocol::ConsumeStats stats;
      add_topic_stats(context, group->group_name, topic, stats);
      for (const auto& [queue, offsets] : stats.offset_table) {
        body.total_diff += offsets.broker_offset - offsets.consumer_offset;
        body.total_inflight_diff +=
            std::max<std::int64_t>(0, offsets.pull_offset - offsets.consumer_offset);
      }
      of_group.push_back(std::move(stats));
    }
    if (of_group.empty()) continue;
    body.consume_stats_list.push_back({{group->group_name, std::move(of_group)}});
  }
  respond_body(connection, request, body.to_json());
}

struct ResetTarget {
  std::int32_t queue_id;
  QueueOffset offset;
};

void on_reset_offset(BrokerContext& context, net::Connection& connection,
                     const CommandView& request) {
  const std::string topic(request.ext.get("topic"));
  const std::string group(request.ext.get("group"));
  const std::int32_t queue_id = request.ext.get_int32("queueId").value_or(-1);
  const std::int64_t timestamp = request.ext.get_int64("timestamp").value_or(-1);
  const auto offset = request.ext.get_int64("offset");
  const auto* config = context.storage.proposals().find_topic(topic);
  if (config == nullptr) {
    return respond(connection, request, ResponseCode::kTopicNotExist,
                   fmt::format("Topic {} not exist!", topic));
  }
  if (find_or_create_group(context, group) == nullptr) {
    return respond(connection, request, ResponseCode::kSubscriptionGroupNotExist,
                   fmt::format("Group {} not exist!", group));
  }
  std::vector<ResetTarget> targets;
  for (std::int32_t id = 0; id < config->write_queue_nums; ++id) {
    if (queue_id >= 0 && id != queue_id) continue;
    const auto* queue = context.storage.queues().find(topic, id);
    const QueueOffset min = queue != nullptr ? queue->min() : QueueOffset(0);
    const QueueOffset max = queue != nullptr ? queue->max() : QueueOffset(0);
    if (queue_id >= 0 && offset && *offset != -1) {
      if (*offset < min.v || *offset > max.v) {
        return respond(connection, request, ResponseCode::kSystemError,
                       fmt::format("Target offset {} not in consume queue range [{}-{}]", *offset,
                                   min.v, max.v));
      }
      targets.push_back({id, QueueOffset(*offset)});
    } else {
      targets.push_back(
          {id,
           timestamp < 0 ? max : offset_by_time(context, topic, id, timestamp, Boundary::kLower)});
    }
  }
  protocol::ResetOffsetBody body;
  std::vector<state::OffsetEntry> entries;
  for (const ResetTarget& target : targets) {
    body.offset_table[{topic, context.config.broker_name, target.queue_id}] = target.offset.v;
    entries.push_back({group, topic, target.queue_id, target.offset});
  }
  const bool pending = context.config.use_server_side_reset_offset;
  if (!pending && context.clients->consumers(group) == nullptr) {
    return respond(
        connection, request, ResponseCode::kConsumerNotOnline,
        fmt::format(
            "Consumer not online, so can not reset offset, Group: {} Topic: {} Timestamp: {}",
            group, topic, timestamp));
  }
  if (!pending) {
    for (const auto& [id, channel] : context.clients->consumers(group)->channels) {
      net::Connection* client = context.connections.find(id);
      if (client == nullptr) continue;
      Command push =
          Command::request(static_cast<std::int32_t>(RequestCode::kResetConsumerClientOffset))
              .with("topic", topic)
              .with("group", group)
              .with("timestamp", timestamp)
              .with("isForce", request.ext.get_bool("isForce", false) ? "true" : "false");
      push.body =
          channel.language == protocol::Language::kCpp ? body.to_json_list() : body.to_json();
      client->send_oneway(std::move(push));
    }
    return respond_body(connection, request, body.to_json());
  }
  context.storage.offsets().reset(std::move(entries), state::PendingReset::kYes,
                                  [responder = Responder(context.connections, connection, request),
                                   text = body.to_json()](Result<void> done) {
                                    if (!done)
                                      return responder.send(ResponseCode::kSystemError,
                                                            done.error().message);
                                    Command response = Command::response(0);
                                    response.body = text;
                                    responder.send(std::move(response));
                                  });
}

void on_clone_offsets(BrokerContext& context, net::Connection& connection,
                      const CommandView& request) {
  if (!require(connection, request, "srcGroup") || !require(connection, request, "destGroup"))
    return;
  context.storage.offsets().clone(request.ext.get("srcGroup"), request.ext.get("destGroup"),
                                  request.ext.get("topic"),
                                  respond_when_done(context, connection, request));
}

void on_correction_offset(BrokerContext& context, net::Connection& connection,
                          const CommandView& request) {
  const std::string_view topic = request.ext.get("topic");
  const std::string_view compare = request.ext.get("compareGroup");
  const std::string_view filtered = request.ext.get("filterGroups");
  protocol::QueryCorrectionOffsetBody body;
  for (const std::string& group : context.storage.offsets().groups_of(topic)) {
    if (group == compare || filtered.find(group) != std::string_view::npos) continue;
    for (const auto& [id, offset] : context.storage.offsets().queues(group, topic)) {
      const auto it = body.correction_offsets.find(id);
      if (it == body.correction_offsets.end()) {
        body.correction_offsets[id] = offset.v;
      } else {
        it->second = std::min(it->second, offset.v);
      }
    }
  }
  for (const auto& [id, offset] : context.storage.offsets().queues(compare, topic)) {
    const auto it = body.correction_offsets.find(id);
    if (it != body.correction_offsets.end() && it->second > offset.v) it->second = INT64_MAX;
  }
  respond_body(connection, request, body.to_json());
}

void on_all_consumer_offsets(BrokerContext& context, net::Connection& connection,
                             const CommandView& request) {
  respond_body(connection, request, state::consumer_offset_json(context.storage.state()));
}

void on_all_delay_offsets(BrokerContext& context, net::Connection& connection,
                          const CommandView& request) {
  respond_body(connection, request, state::delay_offset_json(context.storage.state()));
}

}  // namespace

void register_consumer_admin(BrokerContext& context, Dispatcher& dispatcher) {
  const auto add = [&](RequestCode code, AdminFunction f) {
    dispatcher.add(code, bind_admin(context, f));
  };
  add(RequestCode::kGetConsumerConnectionList, on_consumer_connections);
  add(RequestCode::kGetProducerConnectionList, on_producer_connections);
  add(RequestCode::kGetAllProducerInfo, on_all_producers);
  add(RequestCode::kGetConsumeStats, on_consume_stats);
  add(RequestCode::kGetBrokerConsumeStats, on_broker_consume_stats);
  add(RequestCode::kInvokeBrokerToResetOffset, on_reset_offset);
  add(RequestCode::kCloneGroupOffset, on_clone_offsets);
  add(RequestCode::kQueryCorrectionOffset, on_correction_offset);
  add(RequestCode::kGetAllConsumerOffset, on_all_consumer_offsets);
  add(RequestCode::kGetAllDelayOffset, on_all_delay_offsets);
}

}  // namespace gantry::broker
