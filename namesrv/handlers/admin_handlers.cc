// SPDX-License-Identifier: Apache-2.0
// What tools ask: lists of brokers and topics, write permissions, deleting a topic's route.
#include <array>
#include <string>

#include "namesrv/handlers/handlers.h"
#include "namesrv/handlers/header_fields.h"
#include "namesrv/route/route_table.h"
#include "namesrv/settings/settings.h"

namespace gantry::namesrv {
namespace {

using protocol::Command;
using protocol::RequestCode;
using protocol::ResponseCode;

Command with_body(std::string body) {
  Command answer = response(ResponseCode::kSuccess);
  answer.body = std::move(body);
  return answer;
}

Command disabled() { return response(ResponseCode::kSystemError, "disable"); }

Command get_cluster_info(Services& s, Exchange& /*exchange*/) {
  return with_body(s.routes.cluster_info().to_json());
}

Result<Command> wipe_write_perm(Services& s, Exchange& exchange) {
  const auto broker = required(exchange.request(), "brokerName");
  if (!broker) return std::unexpected(broker.error());
  const std::int64_t topics = s.routes.wipe_write_perm(*broker);
  return response(ResponseCode::kSuccess).with("wipeTopicCount", topics);
}

Result<Command> add_write_perm(Services& s, Exchange& exchange) {
  const auto broker = required(exchange.request(), "brokerName");
  if (!broker) return std::unexpected(broker.error());
  const std::int64_t topics = s.routes.add_write_perm(*broker);
  return response(ResponseCode::kSuccess).with("addTopicCount", topics);
}

Command get_all_topics(Services& s, Exchange& /*exchange*/) {
  if (!s.settings.config().enable_all_topic_list) return disabled();
  return with_body(s.routes.all_topics().to_json());
}

Result<Command> delete_topic(Services& s, Exchange& exchange) {
  const auto topic = required(exchange.request(), "topic");
  if (!topic) return std::unexpected(topic.error());
  const auto cluster = exchange.request().ext.get("clusterName");
  if (cluster.empty()) {
    s.routes.delete_topic(*topic);
  } else {
    s.routes.delete_topic(*topic, cluster);
  }
  return response(ResponseCode::kSuccess);
}

Result<Command> get_topics_by_cluster(Services& s, Exchange& exchange) {
  if (!s.settings.config().enable_topic_list) return disabled();
  const auto cluster = required(exchange.request(), "cluster");
  if (!cluster) return std::unexpected(cluster.error());
  return with_body(s.routes.topics_of_cluster(*cluster).to_json());
}

Command get_system_topics(Services& s, Exchange& /*exchange*/) {
  return with_body(s.routes.system_topics().to_json());
}

template <UnitFilter Filter>
Command get_unit_topics(Services& s, Exchange& /*exchange*/) {
  if (!s.settings.config().enable_topic_list) return disabled();
  return with_body(s.routes.unit_topics(Filter).to_json());
}

constexpr std::array kHandlers = {
    HandlerEntry{RequestCode::kGetBrokerClusterInfo, answered<get_cluster_info>},
    HandlerEntry{RequestCode::kWipeWritePermOfBroker, answered<wipe_write_perm>},
    HandlerEntry{RequestCode::kGetAllTopicListFromNameServer, answered<get_all_topics>},
    HandlerEntry{RequestCode::kDeleteTopicInNamesrv, answered<delete_topic>},
    HandlerEntry{RequestCode::kGetTopicsByCluster, answered<get_topics_by_cluster>},
    HandlerEntry{RequestCode::kGetSystemTopicListFromNs, answered<get_system_topics>},
    HandlerEntry{RequestCode::kGetUnitTopicList, answered<get_unit_topics<UnitFilter::kUnit>>},
    HandlerEntry{RequestCode::kGetHasUnitSubTopicList,
                 answered<get_unit_topics<UnitFilter::kUnitSub>>},
    HandlerEntry{RequestCode::kGetHasUnitSubUnunitTopicList,
                 answered<get_unit_topics<UnitFilter::kUnitSubButNotUnit>>},
    HandlerEntry{RequestCode::kAddWritePermOfBroker, answered<add_write_perm>},
};

}  // namespace

std::span<const HandlerEntry> admin_handlers() { return kHandlers; }

}  // namespace gantry::namesrv
