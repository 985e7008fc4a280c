// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/group_admin.h"

#include <fmt/core.h>

#include "broker/admin/admin_util.h"
#include "broker/client/client_manager.h"
#include "broker/core/groups.h"
#include "protocol/group_bodies.h"
#include "protocol/topic_list.h"
#include "state/name_rules.h"

namespace gantry::broker {
namespace {

using protocol::CommandView;
using protocol::RequestCode;
using protocol::ResponseCode;

void put_groups(BrokerContext& context, net::Connection& connection, const CommandView& request,
                std::vector<protocol::SubscriptionGroupConfig> groups) {
  for (const auto& group : groups) {
    if (const auto valid = state::validate_group_name(group.group_name); !valid) {
      return respond(connection, request, ResponseCode::kInvalidParameter, valid.error().message);
    }
  }
  context.storage.proposals().put_groups(std::move(groups),
                                         respond_when_done(context, connection, request));
}

void on_put_group(BrokerContext& context, net::Connection& connection, const CommandView& request) {
  auto group = protocol::SubscriptionGroupConfig::from_json(request.body);
  if (!group)
    return respond(connection, request, ResponseCode::kSystemError, group.error().message);
  put_groups(context, connection, request, {std::move(*group)});
}

void on_put_group_list(BrokerContext& context, net::Connection& connection,
                       const CommandView& request) {
  auto list = protocol::SubscriptionGroupList::from_json(request.body);
  if (!list) return respond(connection, request, ResponseCode::kSystemError, list.error().message);
  put_groups(context, connection, request, std::move(list->configs));
}

void on_delete_group(BrokerContext& context, net::Connection& connection,
                     const CommandView& request) {
  if (!require(connection, request, "groupName")) return;
  context.storage.proposals().delete_group(request.ext.get("groupName"),
                                           request.ext.get_bool("cleanOffset", false)
                                               ? state::CleanOffsets::kYes
                                               : state::CleanOffsets::kNo,
                                           respond_when_done(context, connection, request));
}

void on_all_groups(BrokerContext& context, net::Connection& connection,
                   const CommandView& request) {
  const state::GroupTable& table = context.storage.state().groups();
  protocol::SubscriptionGroupTable body;
  body.data_version = table.data_version();
  for (const auto* group : table.all()) body.groups.emplace(group->group_name, *group);
  body.forbidden = table.all_forbidden();
  respond_body(connection, request, body.to_json());
}

void on_group_config(BrokerContext& context, net::Connection& connection,
                     const CommandView& request) {
  const std::string_view name = request.ext.get("group");
  const auto* group = find_or_create_group(context, name);
  if (group == nullptr) {
    return respond(connection, request, ResponseCode::kSubscriptionGroupNotExist,
                   fmt::format("No group in this broker. group: {}", name));
  }
  respond_body(connection, request, group->to_json());
}

void on_forbidden(BrokerContext& context, net::Connection& connection, const CommandView& request) {
  if (!require(connection, request, "group") || !require(connection, request, "topic")) return;
  protocol::GroupForbidden body;
  body.group = request.ext.get("group");
  body.topic = request.ext.get("topic");
  std::int32_t bits = context.storage.state().groups().forbidden(body.group, body.topic);
  const bool change = !request.ext.get("readable").empty();
  if (change) {
    bits = request.ext.get_bool("readable", true) ? bits & ~protocol::kPermRead
                                                  : bits | protocol::kPermRead;
  }
  body.readable = (bits & protocol::kPermRead) == 0;
  if (!change) return respond_body(connection, request, body.to_json());
  context.storage.proposals().set_forbidden(
      {{body.group, body.topic, bits}},
      [responder = Responder(context.connections, connection, request),
       text = body.to_json()](Result<void> done) {
        if (!done) return responder.send(ResponseCode::kSystemError, done.error().message);
        protocol::Command response = protocol::Command::response(0);
        response.body = text;
        responder.send(std::move(response));
      });
}

void on_topics_of_group(BrokerContext& context, net::Connection& connection,
                        const CommandView& request) {
  protocol::TopicList list;
  list.topics = context.storage.offsets().topics_of(request.ext.get("group"));
  list.broker_addr = context.address;
  respond_body(connection, request, list.to_json());
}

void on_subscription_of_group(BrokerContext& context, net::Connection& connection,
                              const CommandView& request) {
  protocol::QuerySubscriptionResponse body;
  body.group = request.ext.get("group");
  body.topic = request.ext.get("topic");
  if (const ConsumerGroup* group = context.clients->consumers(body.group)) {
    if (const auto* data = group->subscription(body.topic)) body.subscription_data = *data;
  }
  respond_body(connection, request, body.to_json());
}

}  // namespace

void register_group_admin(BrokerContext& context, Dispatcher& dispatcher) {
  const auto add = [&](RequestCode code, AdminFunction f) {
    dispatcher.add(code, bind_admin(context, f));
  };
  add(RequestCode::kUpdateAndCreateSubscriptionGroup, on_put_group);
  add(RequestCode::kUpdateAndCreateSubscriptionGroupList, on_put_group_list);
  add(RequestCode::kDeleteSubscriptionGroup, on_delete_group);
  add(RequestCode::kGetAllSubscriptionGroupConfig, on_all_groups);
  add(RequestCode::kGetSubscriptionGroupConfig, on_group_config);
  add(RequestCode::kUpdateAndGetGroupForbidden, on_forbidden);
  add(RequestCode::kQueryTopicsByConsumer, on_topics_of_group);
  add(RequestCode::kQuerySubscriptionByConsumer, on_subscription_of_group);
}

}  // namespace gantry::broker
