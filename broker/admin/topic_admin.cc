// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/topic_admin.h"

#include <fmt/core.h>

#include "state/name_rules.h"
#include "state/system_topics.h"
#include "state/topic_rules.h"

namespace gantry::broker {
namespace {

using protocol::Command;
using protocol::CommandView;
using protocol::RequestCode;
using protocol::ResponseCode;

void on_create_topic(BrokerContext& context, net::Connection& connection, const CommandView& request) {
  const protocol::ExtFields& ext = request.ext;
  protocol::TopicConfig config;
  config.topic_name = ext.get("topic");
  if (const auto valid = state::validate_topic_name(config.topic_name); !valid) {
    return respond(connection, request, ResponseCode::kInvalidParameter, valid.error().message);
  }
  if (context.storage.system_topics().is_system_topic(config.topic_name)) {
    return respond(connection, request, ResponseCode::kInvalidParameter,
                   state::system_topic_remark(config.topic_name));
  }
  const auto read = ext.get_int32("readQueueNums");
  const auto write = ext.get_int32("writeQueueNums");
  const auto perm = ext.get_int32("perm");
  if (!read || !write || !perm) {
    return respond(connection, request, ResponseCode::kSystemError,
                   "one of the custom fields <readQueueNums>, <writeQueueNums>, <perm> is null");
  }
  config.read_queue_nums = *read;
  config.write_queue_nums = *write;
  config.perm = *perm;
  config.topic_sys_flag = ext.get_int32("topicSysFlag").value_or(0);
  config.order = ext.get_bool("order", false);
  const auto filter = protocol::topic_filter_type_from_name(ext.get("topicFilterType"));
  if (!filter) return respond(connection, request, ResponseCode::kSystemError, filter.error().message);
  config.topic_filter_type = *filter;
  const protocol::TopicConfig* current = context.storage.proposals().find_topic(config.topic_name);
  auto attributes = state::alter_topic_attributes(current != nullptr ? &current->attributes : nullptr,
                                                  ext.get("attributes"));
  if (!attributes) {
    return respond(connection, request, ResponseCode::kSystemError, attributes.error().message);
  }
  config.attributes = std::move(*attributes);
  context.storage.proposals().put_topics(
      {config}, [responder = Responder(context.connections, connection, request)](Result<void> done) {
        if (done) {
          responder.send(ResponseCode::kSuccess);
        } else {
          responder.send(ResponseCode::kSystemError, done.error().message);
        }
      });
}

}  // namespace

void register_topic_admin(BrokerContext& context, Dispatcher& dispatcher) {
  dispatcher.add(RequestCode::kUpdateAndCreateTopic,
                 [&context](net::Connection& c, const CommandView& r) { on_create_topic(context, c, r); });
}

}  // namespace gantry::broker
