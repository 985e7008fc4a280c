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
void add_topic_stats(BrokerContext& context, LogLookup& lookup, std::string_view group,
                     const std::string& topic, protocol::ConsumeStats& stats) {
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
          store_time_at(context, lookup, topic, id, QueueOffset(entry.consumer_offset - 1))
              .value_or(0);
    }
  }
  stats.consume_tps +=
      context.stats.item(StatName::kGroupGetNums, topic + "@" + std::string(group)).minute().tps;
}

void on_consume_stats(BrokerContext& context, net::Connection& connection,
                      const CommandView& request) {
  const std::string group(request.ext.get("consumerGroup"));
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
  answer_from_log(context, connection, request, [&context, group, topics](LogLookup& lookup) {
    protocol::ConsumeStats stats;
    for (const std::string& topic : topics) add_topic_stats(context, lookup, group, topic, stats);
    return response_with_body(stats.to_json());
  });
}

protocol::ConsumeStatsList consume_stats_of_all(BrokerContext& context, LogLookup& lookup,
                                                bool ordered) {
  protocol::ConsumeStatsList body;
  body.broker_addr = context.address;
  for (const auto* group : context.storage.state().groups().all()) {
    std::vector<protocol::ConsumeStats> of_group;
    for (const std::string& topic : context.storage.offsets().topics_of(group->group_name)) {
      const auto* config = context.storage.proposals().find_topic(topic);
      if (config == nullptr || (ordered && !config->order)) continue;
      protocol::ConsumeStats stats;
      add_topic_stats(context, lookup, group->group_name, topic, stats);
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
  return body;
}

void on_broker_consume_stats(BrokerContext& context, net::Connection& connection,
                             const CommandView& request) {
  const bool ordered = request.ext.get_bool("isOrder", false);
  answer_from_log(context, connection, request, [&context, ordered](LogLookup& lookup) {
    return response_with_body(consume_stats_of_all(context, lookup, ordered).to_json());
  });
}

struct ResetRequest {
  std::string topic;
  std::string group;
  std::int32_t queue_id = -1;  // -1: all
  std::int64_t timestamp_ms = -1;
  std::optional<std::int64_t> offset;
  bool force = false;
};

struct ResetTarget {
  std::int32_t queue_id;
  QueueOffset offset;
};

// Where the queues go; the error is the answer. Means nothing until `lookup` is complete.
std::expected<std::vector<ResetTarget>, Command> reset_targets(BrokerContext& context,
                                                               LogLookup& lookup,
                                                               const ResetRequest& reset) {
  const auto refuse = [](ResponseCode code, std::string why) {
    return std::unexpected(Command::response(static_cast<std::int32_t>(code), std::move(why)));
  };
  const auto* config = context.storage.proposals().find_topic(reset.topic);
  if (config == nullptr) {
    return refuse(ResponseCode::kTopicNotExist, fmt::format("Topic {} not exist!", reset.topic));
  }
  if (find_or_create_group(context, reset.group) == nullptr) {
    return refuse(ResponseCode::kSubscriptionGroupNotExist,
                  fmt::format("Group {} not exist!", reset.group));
  }
  std::vector<ResetTarget> targets;
  for (std::int32_t id = 0; id < config->write_queue_nums; ++id) {
    if (reset.queue_id >= 0 && id != reset.queue_id) continue;
    const auto* queue = context.storage.queues().find(reset.topic, id);
    const QueueOffset min = queue != nullptr ? queue->min() : QueueOffset(0);
    const QueueOffset max = queue != nullptr ? queue->max() : QueueOffset(0);
    if (reset.queue_id >= 0 && reset.offset && *reset.offset != -1) {
      if (*reset.offset < min.v || *reset.offset > max.v) {
        return refuse(ResponseCode::kSystemError,
                      fmt::format("Target offset {} not in consume queue range [{}-{}]",
                                  *reset.offset, min.v, max.v));
      }
      targets.push_back({id, QueueOffset(*reset.offset)});
    } else if (reset.timestamp_ms < 0) {
      targets.push_back({id, max});
    } else {
      targets.push_back({id, offset_by_time(context, lookup, reset.topic, id, reset.timestamp_ms,
                                            Boundary::kLower)});
    }
  }
  return targets;
}

// Tells every client of the group, which then resets itself.
void push_reset(BrokerContext& context, const ResetRequest& reset,
                const protocol::ResetOffsetBody& body, const Responder& responder) {
  const ConsumerGroup* online = context.clients->consumers(reset.group);
  if (online == nullptr) {
    return responder.send(
        ResponseCode::kConsumerNotOnline,
        fmt::format(
            "Consumer not online, so can not reset offset, Group: {} Topic: {} Timestamp: {}",
            reset.group, reset.topic, reset.timestamp_ms));
  }
  for (const auto& [id, channel] : online->channels) {
    net::Connection* client = context.connections.find(id);
    if (client == nullptr) continue;
    Command push =
        Command::request(static_cast<std::int32_t>(RequestCode::kResetConsumerClientOffset))
            .with("topic", reset.topic)
            .with("group", reset.group)
            .with("timestamp", reset.timestamp_ms)
            .with("isForce", reset.force ? "true" : "false");
    push.body = channel.language == protocol::Language::kCpp ? body.to_json_list() : body.to_json();
    client->send_oneway(std::move(push));
  }
  responder.send(response_with_body(body.to_json()));
}

void reset_offset(BrokerContext& context, const ResetRequest& reset,
                  const std::vector<ResetTarget>& targets, const Responder& responder) {
  protocol::ResetOffsetBody body;
  std::vector<state::OffsetEntry> entries;
  for (const ResetTarget& target : targets) {
    body.offset_table[{reset.topic, context.config.broker_name, target.queue_id}] = target.offset.v;
    entries.push_back({reset.group, reset.topic, target.queue_id, target.offset});
  }
  if (!context.config.use_server_side_reset_offset) {
    return push_reset(context, reset, body, responder);
  }
  context.storage.offsets().reset(std::move(entries), state::PendingReset::kYes,
                                  [responder, text = body.to_json()](Result<void> done) {
                                    if (!done)
                                      return responder.send(ResponseCode::kSystemError,
                                                            done.error().message);
                                    responder.send(response_with_body(text));
                                  });
}

void on_reset_offset(BrokerContext& context, net::Connection& connection,
                     const CommandView& request) {
  ResetRequest reset{.topic = std::string(request.ext.get("topic")),
                     .group = std::string(request.ext.get("group")),
                     .queue_id = request.ext.get_int32("queueId").value_or(-1),
                     .timestamp_ms = request.ext.get_int64("timestamp").value_or(-1),
                     .offset = request.ext.get_int64("offset"),
                     .force = request.ext.get_bool("isForce", false)};
  look_up(context.storage.log(),
          [&context, reset = std::move(reset),
           responder = Responder(context.connections, connection, request)](LogLookup& lookup) {
            auto targets = reset_targets(context, lookup, reset);
            if (!lookup.complete()) return;
            if (!targets) return responder.send(std::move(targets).error());
            reset_offset(context, reset, *targets, responder);
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
