// SPDX-License-Identifier: Apache-2.0
// The NameServer's own configuration: 318 changes it, 319 shows it.
#include <array>
#include <utility>

#include "log/log.h"
#include "namesrv/handlers/handlers.h"
#include "namesrv/settings/settings.h"

namespace gantry::namesrv {
namespace {

using protocol::Command;
using protocol::RequestCode;
using protocol::ResponseCode;

constexpr Logger kLog("namesrv");

Command refused(const Error& error) {
  if (error.code == ErrorCode::kConflict) {
    return response(ResponseCode::kNoPermission, error.message);
  }
  return error_response(error);
}

void update_config(Services& s, Exchange& exchange) {
  auto changes = Settings::parse(exchange.request().body);
  if (!changes) return exchange.reply(refused(changes.error()));
  if (changes->empty()) return exchange.reply(response(ResponseCode::kSuccess));
  // Before anything is queued for the disk, so that a mistake is answered at once.
  if (const auto ok = s.settings.check(*changes); !ok) return exchange.reply(refused(ok.error()));
  std::string keys;
  for (const auto& change : *changes) keys += (keys.empty() ? "" : ",") + change.key;
  s.settings.change(*std::move(changes), [late = exchange.late(),
                                          keys = std::move(keys)](const Result<void>& result) {
    if (result) kLog.info("configuration changed keys={}", keys);
    late.reply(result ? response(ResponseCode::kSuccess) : refused(result.error()));
  });
}

Command get_config(Services& s, Exchange& /*exchange*/) {
  Command answer = response(ResponseCode::kSuccess);
  answer.body = config::to_properties_text(s.settings.config());
  return answer;
}

constexpr std::array kHandlers = {
    HandlerEntry{RequestCode::kUpdateNamesrvConfig, update_config},
    HandlerEntry{RequestCode::kGetNamesrvConfig, answered<get_config>},
};

}  // namespace

std::span<const HandlerEntry> config_handlers() { return kHandlers; }

}  // namespace gantry::namesrv
