// SPDX-License-Identifier: Apache-2.0
// Questions of administrators that only a client can answer: relayed to it, its answer relayed back
// byte for byte.
#include <fmt/core.h>

#include "broker/admin/admin_util.h"
#include "broker/admin/consumer_admin.h"
#include "broker/client/client_manager.h"
#include "broker/core/delay_levels.h"
#include "broker/core/log_lookup.h"
#include "protocol/message_id.h"
#include "protocol/reset_offset.h"

namespace gantry::broker {
namespace {

using protocol::Command;
using protocol::CommandView;
using protocol::RequestCode;
using protocol::ResponseCode;
constexpr std::int32_t kVersionRelay = 62;   // V3_1_8: answers 307 and 309
constexpr std::int32_t kVersionStatus = 28;  // V3_0_7: answers 221
constexpr std::chrono::seconds kRelayTimeout{10};
constexpr std::chrono::seconds kStatusTimeout{5};

// To the client that the request's consumerGroup and clientId name.
void relay(BrokerContext& context, const Responder& responder, Command forward) {
  const std::string group_name(forward.find("consumerGroup").value_or(""));
  const std::string client_id(forward.find("clientId").value_or(""));
  const ConsumerGroup* group = context.clients->consumers(group_name);
  const ClientChannel* channel = group != nullptr ? group->channel_of(client_id) : nullptr;
  net::Connection* client =
      channel != nullptr ? context.connections.find(channel->connection) : nullptr;
  if (client == nullptr) {
    return responder.send(ResponseCode::kSystemError,
                          fmt::format("The Consumer <{}> <{}> not online", group_name, client_id));
  }
  if (channel->version < kVersionRelay) {
    return responder.send(
        ResponseCode::kSystemError,
        fmt::format("The Consumer <{}> Version <{}> too low to finish, please upgrade "
                    "it to V3_1_8_SNAPSHOT",
                    client_id, channel->version));
  }
  client->call(
      std::move(forward), kRelayTimeout,
      [responder, who = fmt::format("<{}> <{}>", group_name, client_id)](Result<Command> answer) {
        if (answer) return responder.send(std::move(*answer));
        const bool late = answer.error().code == ErrorCode::kTimeout;
        responder.send(late ? ResponseCode::kConsumeMsgTimeout : ResponseCode::kSystemError,
                       fmt::format("consumer {} {}: {}", who, late ? "timeout" : "failed",
                                   answer.error().message));
      });
}

Command forwarded(const CommandView& request) {
  Command forward = Command::request(request.code);
  for (const protocol::ExtField& field : request.ext.all()) {
    forward.with(std::string(field.key), std::string(field.value));
  }
  return forward;
}

void on_running_info(BrokerContext& context, net::Connection& connection,
                     const CommandView& request) {
  relay(context, Responder(context.connections, connection, request), forwarded(request));
}

void on_consume_directly(BrokerContext& context, net::Connection& connection,
                         const CommandView& request) {
  Command forward = forwarded(request);
  if (request.ext.get("brokerName").empty()) forward.with("brokerName", context.config.broker_name);
  const auto* topic = context.storage.proposals().find_topic(request.ext.get("topic"));
  const auto* group = context.storage.proposals().find_group(request.ext.get("consumerGroup"));
  if (topic != nullptr) forward.with("topicSysFlag", topic->topic_sys_flag);
  if (group != nullptr) forward.with("groupSysFlag", group->group_sys_flag);
  const auto id = protocol::decode_message_id(request.ext.get("msgId"));
  if (!id) return respond(connection, request, ResponseCode::kSystemError, id.error().message);
  look_up(context.storage.log(),
          [&context, position = id->position, forward = std::move(forward),
           responder = Responder(context.connections, connection, request)](LogLookup& lookup) {
            const auto record = lookup.record(position);
            if (!lookup.complete()) return;
            if (!record) {
              return responder.send(ResponseCode::kSystemError, record.error().message);
            }
            Command with_message = forward;
            append_served(with_message.body, *record);
            relay(context, responder, std::move(with_message));
          });
}

// 223: every client of the group is asked; the answer goes out when all have answered or timed out.
struct StatusRound {
  Responder responder;
  protocol::GetConsumerStatusBody body;
  std::size_t waiting = 0;
};

void on_consumer_status(BrokerContext& context, net::Connection& connection,
                        const CommandView& request) {
  const std::string topic(request.ext.get("topic"));
  const std::string group_name(request.ext.get("group"));
  const std::string wanted(request.ext.get("clientAddr"));
  const ConsumerGroup* group = context.clients->consumers(group_name);
  if (group == nullptr) {
    return respond(connection, request, ResponseCode::kSystemError,
                   fmt::format("No Any Consumer online in the consumer group: [{}]", group_name));
  }
  auto round = std::make_shared<StatusRound>(
      StatusRound{Responder(context.connections, connection, request), {}, 0});
  std::vector<std::pair<net::Connection*, std::string>> clients;
  for (const auto& [id, channel] : group->channels) {
    if (channel.version < kVersionStatus) {
      return respond(
          connection, request, ResponseCode::kSystemError,
          fmt::format("the client does not support this feature. version={}", channel.version));
    }
    if (!wanted.empty() && wanted != channel.client_id) continue;
    if (net::Connection* client = context.connections.find(id))
      clients.emplace_back(client, channel.client_id);
  }
  round->waiting = clients.size();
  const auto finish = [](StatusRound& r) {
    Command response = Command::response(0);
    response.body = r.body.to_json();
    r.responder.send(std::move(response));
  };
  if (clients.empty()) return finish(*round);
  for (const auto& [client, client_id] : clients) {
    client->call(
        Command::request(static_cast<std::int32_t>(RequestCode::kGetConsumerStatusFromClient))
            .with("topic", topic)
            .with("group", group_name),
        kStatusTimeout, [round, finish, client_id](Result<Command> answer) {
          if (answer && answer->code == 0) {
            if (const auto body = protocol::GetConsumerStatusBody::from_json(answer->body)) {
              round->body.consumer_table[client_id] = body->message_queue_table;
            }
          }
          if (--round->waiting == 0) finish(*round);
        });
  }
}

}  // namespace

void register_client_relay(BrokerContext& context, Dispatcher& dispatcher) {
  dispatcher.add(RequestCode::kGetConsumerRunningInfo, bind_admin(context, on_running_info));
  dispatcher.add(RequestCode::kConsumeMessageDirectly, bind_admin(context, on_consume_directly));
  dispatcher.add(RequestCode::kInvokeBrokerToGetConsumerStatus,
                 bind_admin(context, on_consumer_status));
}

}  // namespace gantry::broker
