// SPDX-License-Identifier: Apache-2.0
// What brokers say (103, 104, 217, 322, 904, 901) and what clients ask (105).
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "config/namesrv_config.h"
#include "log/log.h"
#include "namesrv/handlers/handlers.h"
#include "namesrv/handlers/header_fields.h"
#include "namesrv/kvconfig/kv_config.h"
#include "namesrv/route/route_table.h"
#include "namesrv/settings/settings.h"
#include "protocol/register_broker.h"

namespace gantry::namesrv {
namespace {

using protocol::Command;
using protocol::CommandView;
using protocol::RequestCode;
using protocol::ResponseCode;

constexpr Logger kLog("namesrv");

// Brokers before 3.0.11 send the topic table alone.
constexpr std::int32_t kVersionWithRegisterBody = 37;

// --- 105 ---

bool ready_for_routes(const Services& s) {
  const auto& config = s.settings.config();
  if (!config.need_wait_for_service) return true;
  return s.now_ms() - s.started_ms >= config.wait_seconds_for_service * 1000;
}

Command no_route(std::string_view topic) {
  return response(ResponseCode::kTopicNotExist,
                  "No topic route info in name server for the topic: " + std::string(topic) +
                      "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further "
                      "details.");
}

std::string_view wanted_zone(const CommandView& request) {
  if (!request.ext.get_bool("__ZONE_MODE", false)) return {};
  const auto zone = request.ext.get("__ZONE_NAME");
  return zone.find_first_not_of(" \t") == std::string_view::npos ? std::string_view{} : zone;
}

void get_route(Services& s, Exchange& exchange) {
  const auto& request = exchange.request();
  const auto topic = required(request, "topic");
  if (!topic) return exchange.reply(error_response(topic.error()));
  if (!ready_for_routes(s)) {
    return exchange.reply(response(ResponseCode::kSystemError, "name server not ready"));
  }
  const std::string* order_conf =
      s.settings.config().order_message_enable ? s.kv.get(kOrderTopicNamespace, *topic) : nullptr;
  const auto zone = wanted_zone(request);
  if (order_conf == nullptr && zone.empty()) {
    const std::string* body = s.routes.route_json(*topic);
    return body != nullptr ? exchange.reply_body(*body) : exchange.reply(no_route(*topic));
  }
  auto route = s.routes.route(*topic);
  if (!route) return exchange.reply(no_route(*topic));
  if (order_conf != nullptr) route->order_topic_conf = *order_conf;
  if (!zone.empty()) keep_zone(*route, zone);
  exchange.reply_body(route->to_json());
}

// --- 103 ---

// The Go client cuts routes apart at commas and colons; an address or name that contains one of
// these would break the routes of every broker that shares a topic with it.
Result<void> check_address(std::string_view name, std::string_view text) {
  const bool clean = std::ranges::none_of(text, [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u <= ' ' || u == 0x7f || c == ',' || c == '"' || c == '\\' || c == '{' || c == '}';
  });
  if (clean && net::parse_host_port(text)) return {};
  return make_error(ErrorCode::kInvalidArgument,
                    std::string(name) + " '" + std::string(text) + "' is not host:port");
}

Result<void> check_registration(const protocol::RegisterBrokerHeader& header) {
  if (header.broker_name.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "brokerName is empty");
  }
  if (header.cluster_name.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "clusterName is empty");
  }
  if (header.broker_id < 0) {
    return make_error(ErrorCode::kInvalidArgument,
                      "brokerId " + std::to_string(header.broker_id) + " is negative");
  }
  if (header.heartbeat_timeout_ms && *header.heartbeat_timeout_ms <= 0) {
    return make_error(ErrorCode::kInvalidArgument, "heartbeatTimeoutMillis is not positive");
  }
  return check_address("brokerAddr", header.broker_addr);
}

Result<protocol::RegisterBrokerBody> decode_body(const protocol::RegisterBrokerHeader& header,
                                                 const CommandView& request) {
  if (request.version >= kVersionWithRegisterBody || request.body.empty()) {
    return protocol::decode_register_broker_body(header, request.version, request.body);
  }
  auto table = protocol::TopicConfigTable::from_json(request.body);
  if (!table) return std::unexpected(std::move(table).error());
  protocol::RegisterBrokerBody body;
  body.topic_configs = *std::move(table);
  return body;
}

void tell(const Services& s, const MinBrokerIdChange& change) {
  if (s.settings.config().notify_min_broker_id_changed) s.tell_brokers(change);
}

Result<Command> register_broker(Services& s, Exchange& exchange) {
  const auto& request = exchange.request();
  const auto header = protocol::RegisterBrokerHeader::from_ext(request.ext);
  if (!header) return std::unexpected(header.error());
  GANTRY_TRY(check_registration(*header));
  const auto body = decode_body(*header, request);
  if (!body) return std::unexpected(body.error());

  const auto result =
      s.routes.register_broker(*header, *body, exchange.connection_id(), s.now_ms());
  if (result.outcome == RegisterOutcome::kRefused) {
    return response(ResponseCode::kSystemError, "register broker failed");
  }
  if (result.min_broker_id_change) tell(s, *result.min_broker_id_change);

  Command answer = response(ResponseCode::kSuccess);
  if (result.outcome == RegisterOutcome::kFenced) return answer;
  protocol::RegisterBrokerResponse fields;
  fields.master_addr = result.master_addr;
  fields.ha_server_addr = result.ha_server_addr;
  if (s.settings.config().return_order_topic_config_to_broker) {
    if (const auto* table = s.kv.list(kOrderTopicNamespace); table != nullptr) {
      fields.order_topic_conf.emplace().table = *table;
    }
  }
  fields.add_to(answer);
  return answer;
}

// --- 104, 322, 904, 901, 217 ---

// Which broker a request speaks for. Views into the request.
struct BrokerIdentity {
  std::string_view cluster, name, addr;
};

Result<BrokerIdentity> broker_identity(const CommandView& request) {
  BrokerIdentity out;
  for (const auto& [name, field] : {std::pair{"clusterName", &out.cluster},
                                    {"brokerName", &out.name},
                                    {"brokerAddr", &out.addr}}) {
    const auto text = required(request, name);
    if (!text) return std::unexpected(text.error());
    *field = *text;
  }
  return out;
}

Result<Command> unregister_broker(Services& s, Exchange& exchange) {
  const auto broker = broker_identity(exchange.request());
  if (!broker) return std::unexpected(broker.error());
  const auto id = required_int64(exchange.request(), "brokerId");
  if (!id) return std::unexpected(id.error());
  const auto removal = s.routes.unregister_broker(broker->cluster, broker->addr, broker->name,
                                                  exchange.connection_id());
  for (const auto& change : removal.min_broker_id_changes) tell(s, change);
  return response(ResponseCode::kSuccess);
}

Result<Command> query_data_version(Services& s, Exchange& exchange) {
  const auto broker = broker_identity(exchange.request());
  if (!broker) return std::unexpected(broker.error());
  const auto id = required_int64(exchange.request(), "brokerId");
  if (!id) return std::unexpected(id.error());
  const auto version = protocol::DataVersion::from_json(exchange.request().body);
  if (!version) return std::unexpected(version.error());
  const auto found =
      s.routes.query_data_version(broker->cluster, broker->addr, *version, s.now_ms());
  Command answer = response(ResponseCode::kSuccess);
  answer.with("changed", found.changed ? "true" : "false");
  if (found.recorded) answer.body = found.recorded->to_json();
  return answer;
}

Result<Command> broker_heartbeat(Services& s, Exchange& exchange) {
  const auto broker = broker_identity(exchange.request());
  if (!broker) return std::unexpected(broker.error());
  // Success also for an unknown broker, as RocketMQ: it registers within 30 s anyway.
  if (!s.routes.heartbeat(broker->cluster, broker->addr, s.now_ms())) {
    kLog.debug("heartbeat of an unknown broker cluster={} broker={} addr={}", broker->cluster,
               broker->name, broker->addr);
  }
  return response(ResponseCode::kSuccess);
}

Result<Command> broker_member_group(Services& s, Exchange& exchange) {
  const auto& request = exchange.request();
  const auto cluster = required(request, "clusterName");
  if (!cluster) return std::unexpected(cluster.error());
  const auto name = required(request, "brokerName");
  if (!name) return std::unexpected(name.error());
  Command answer = response(ResponseCode::kSuccess);
  answer.body = s.routes.member_group(*cluster, *name).to_json();
  return answer;
}

Result<Command> register_topic(Services& s, Exchange& exchange) {
  const auto& request = exchange.request();
  const auto topic = required(request, "topic");
  if (!topic) return std::unexpected(topic.error());
  if (topic->empty()) return make_error(ErrorCode::kInvalidArgument, "topic is empty");
  if (request.body.empty()) return response(ResponseCode::kSuccess);
  const auto route = protocol::TopicRouteData::from_json(request.body);
  if (!route) return std::unexpected(route.error());
  s.routes.register_topic(*topic, route->queue_datas);
  return response(ResponseCode::kSuccess);
}

constexpr std::array kHandlers = {
    HandlerEntry{RequestCode::kRegisterBroker, answered<register_broker>},
    HandlerEntry{RequestCode::kUnregisterBroker, answered<unregister_broker>},
    HandlerEntry{RequestCode::kGetRouteInfoByTopic, get_route},
    HandlerEntry{RequestCode::kRegisterTopicInNamesrv, answered<register_topic>},
    HandlerEntry{RequestCode::kQueryDataVersion, answered<query_data_version>},
    HandlerEntry{RequestCode::kGetBrokerMemberGroup, answered<broker_member_group>},
    HandlerEntry{RequestCode::kBrokerHeartbeat, answered<broker_heartbeat>},
};

}  // namespace

std::span<const HandlerEntry> route_handlers() { return kHandlers; }

}  // namespace gantry::namesrv
