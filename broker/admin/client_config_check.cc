// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/client_config_check.h"

#include <nlohmann/json.hpp>

#include "broker/admin/admin_util.h"
#include "protocol/subscription_data.h"

namespace gantry::broker {
namespace {

using protocol::CommandView;
using protocol::ResponseCode;

void on_check(BrokerContext& /*context*/, net::Connection& connection, const CommandView& request) {
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("subscriptionData")) {
    return respond(connection, request, ResponseCode::kSystemError,
                   "the body is not a JSON object with subscriptionData");
  }
  const auto data = protocol::SubscriptionData::from_json(body["subscriptionData"].dump());
  if (!data) return respond(connection, request, ResponseCode::kSystemError, data.error().message);
  if (data->is_tag_type()) return respond(connection, request, ResponseCode::kSuccess);
  respond(connection, request, ResponseCode::kSystemError,
          "The broker does not support consumer to filter message by " + data->expression_type);
}

}  // namespace

void register_client_config_check(BrokerContext& context, Dispatcher& dispatcher) {
  dispatcher.add(protocol::RequestCode::kCheckClientConfig, bind_admin(context, on_check));
}

}  // namespace gantry::broker
