// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/config_admin.h"

#include <fmt/core.h>

#include "broker/admin/admin_util.h"
#include "broker/admin/config_file.h"
#include "broker/route/namesrv_registrar.h"
#include "config/source.h"
#include "log/log.h"

namespace gantry::broker {
namespace {

using protocol::Command;
using protocol::CommandView;
using protocol::RequestCode;
using protocol::ResponseCode;
log::Logger logger("admin");

// What a change of several keys comes to.
struct Outcome {
  std::vector<config::Entry> accepted;  // to be stored
  std::string at_restart, unknown;      // keys, for people
};

void append_key(std::string& list, const std::string& key) {
  if (!list.empty()) list += ", ";
  list += key;
}

// On a copy of the configuration, so that a bad value changes nothing. The error is the answer.
std::expected<Outcome, Command> change(config::BrokerConfig& config,
                                       const std::vector<config::Entry>& entries) {
  const auto refuse = [](ResponseCode code, std::string why) {
    return std::unexpected(Command::response(static_cast<std::int32_t>(code), std::move(why)));
  };
  Outcome outcome;
  for (const config::Entry& entry : entries) {
    const auto updated = config::update(config, entry.key, entry.value);
    if (!updated) return refuse(ResponseCode::kSystemError, updated.error().message);
    switch (*updated) {
      case config::Updated::kRefused:
        return refuse(ResponseCode::kNoPermission, "Can not update config in black list.");
      case config::Updated::kUnknown:
        append_key(outcome.unknown, entry.key);
        continue;
      case config::Updated::kRestart:
        append_key(outcome.at_restart, entry.key);
        break;
      case config::Updated::kLive:
      case config::Updated::kIgnored:
        break;
    }
    outcome.accepted.push_back(entry);
  }
  return outcome;
}

void take_effect(BrokerContext& context, config::BrokerConfig changed) {
  const config::BrokerConfig before = std::exchange(context.config, std::move(changed));
  const config::BrokerConfig& now = context.config;
  if (now.log_level != before.log_level) {
    if (const auto level = log::parse_level(now.log_level)) log::set_level(*level);
  }
  if (now.namesrv_addr != before.namesrv_addr) context.registrar->set_addresses(now.namesrv_addr);
  if (now.broker_permission != before.broker_permission) context.registrar->register_all();
}

// The change is in force; the remark says what about it is not as one might think.
std::string remark_of(const Outcome& outcome, const Result<void>& stored) {
  std::string remark;
  const auto add = [&](std::string text) {
    if (!remark.empty()) remark += "; ";
    remark += text;
  };
  if (!outcome.at_restart.empty()) add("takes effect at the next start: " + outcome.at_restart);
  if (!outcome.unknown.empty()) add("unknown and ignored: " + outcome.unknown);
  if (!stored) add("not stored, lost at the next start: " + stored.error().message);
  return remark;
}

void on_update_config(BrokerContext& context, net::Connection& connection,
                      const CommandView& request) {
  const auto entries = config::parse_properties(request.body);
  if (!entries)
    return respond(connection, request, ResponseCode::kSystemError, entries.error().message);
  config::BrokerConfig changed = context.config;
  auto outcome = change(changed, *entries);
  if (!outcome) return respond(connection, request, std::move(outcome).error());
  take_effect(context, std::move(changed));
  for (const config::Entry& entry : outcome->accepted)
    logger.info("configuration changed {}={}", entry.key, entry.value);
  if (outcome->accepted.empty()) {
    return respond(connection, request, ResponseCode::kSuccess, remark_of(*outcome, {}));
  }
  auto accepted = outcome->accepted;
  context.config_file.store(
      std::move(accepted), [responder = Responder(context.connections, connection, request),
                            outcome = std::move(*outcome)](const Result<void>& stored) {
        const std::string remark = remark_of(outcome, stored);
        if (!stored) {
          logger.warn("a changed configuration is not stored: {}", stored.error().message);
        }
        if (!outcome.at_restart.empty()) {
          logger.info("takes effect at the next start keys={}", outcome.at_restart);
        }
        responder.send(ResponseCode::kSuccess, remark);
      });
}

void on_get_config(BrokerContext& context, net::Connection& connection,
                   const CommandView& request) {
  respond_body(connection, request, config::to_properties_text(context.config),
               Command::response(0).with(
                   "version", context.storage.state().topics().data_version().to_json()));
}

}  // namespace

void register_config_admin(BrokerContext& context, Dispatcher& dispatcher) {
  dispatcher.add(RequestCode::kUpdateBrokerConfig, bind_admin(context, on_update_config));
  dispatcher.add(RequestCode::kGetBrokerConfig, bind_admin(context, on_get_config));
}

}  // namespace gantry::broker
