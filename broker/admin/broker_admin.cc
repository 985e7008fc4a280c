// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/broker_admin.h"

#include <fmt/core.h>

#include "broker/admin/admin_util.h"
#include "broker/admin/config_admin.h"
#include "broker/admin/runtime_info.h"
#include "broker/core/stats.h"
#include "broker/retention/retention.h"
#include "protocol/broker_stats_data.h"
#include "protocol/ha_runtime_info.h"
#include "protocol/subscription_data.h"

namespace gantry::broker {
namespace {

using protocol::CommandView;
using protocol::RequestCode;
using protocol::ResponseCode;

void on_stats(BrokerContext& context, net::Connection& connection, const CommandView& request) {
  const std::string_view name_text = request.ext.get("statsName");
  const std::string_view key = request.ext.get("statsKey");
  const auto name = stat_name(name_text);
  if (!name || !context.stats.has_item(*name, key)) {
    return respond(connection, request, ResponseCode::kSystemError,
                   fmt::format("The stats <{}> <{}> not exist", name_text, key));
  }
  const StatsItem& item = context.stats.item(*name, key);
  const auto convert = [](const StatsWindow& w) {
    return protocol::BrokerStatsItem{w.sum, w.tps, w.avgpt};
  };
  const protocol::BrokerStatsData body{convert(item.minute()), convert(item.hour()),
                                       convert(item.day())};
  respond_body(connection, request, body.to_json());
}

void on_ha_status(BrokerContext& context, net::Connection& connection, const CommandView& request) {
  protocol::HARuntimeInfo body;
  body.master = true;
  body.master_commit_log_max_offset = context.storage.log().committed().v;
  respond_body(connection, request, body.to_json());
}

}  // namespace

void register_broker_admin(BrokerContext& context, DelayDelivery& delays, Retention& retention,
                           Dispatcher& dispatcher) {
  const auto add = [&](RequestCode code, AdminFunction f) {
    dispatcher.add(code, bind_admin(context, f));
  };
  register_config_admin(context, dispatcher);
  add(RequestCode::kViewBrokerStatsData, on_stats);
  add(RequestCode::kGetBrokerHaStatus, on_ha_status);
  dispatcher.add(RequestCode::kGetBrokerRuntimeInfo,
                 [&, boot_ms = context.clock.wall_ms()](net::Connection& c, const CommandView& r) {
                   answer_from_log(context, c, r, [&, boot_ms](LogLookup& lookup) {
                     return response_with_body(
                         runtime_info(context, lookup, delays, retention, boot_ms).to_json());
                   });
                 });
  dispatcher.add(RequestCode::kDeleteExpiredCommitLog,
                 [&retention](net::Connection& c, const CommandView& r) {
                   retention.run(true);
                   respond(c, r, ResponseCode::kSuccess);
                 });
}

}  // namespace gantry::broker
