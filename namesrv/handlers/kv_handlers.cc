// SPDX-License-Identifier: Apache-2.0
// The KV table: 100, 101, 102, 219. Writes are answered when they are on disk.
#include <array>
#include <string>

#include "namesrv/handlers/handlers.h"
#include "namesrv/handlers/header_fields.h"
#include "namesrv/kvconfig/kv_config.h"
#include "protocol/kv_table.h"

namespace gantry::namesrv {
namespace {

using protocol::Command;
using protocol::RequestCode;
using protocol::ResponseCode;

KvConfig::Done reply_when_stored(Exchange& exchange) {
  return [late = exchange.late()](const Result<void>& result) {
    late.reply(result ? response(ResponseCode::kSuccess) : error_response(result.error()));
  };
}

void put_kv(Services& s, Exchange& exchange) {
  const auto& request = exchange.request();
  const auto name_space = required(request, "namespace");
  const auto key = required(request, "key");
  const auto value = required(request, "value");
  for (const auto* field : {&name_space, &key, &value}) {
    if (!*field) return exchange.reply(error_response(field->error()));
  }
  s.kv.put(std::string(*name_space), std::string(*key), std::string(*value),
           reply_when_stored(exchange));
}

void delete_kv(Services& s, Exchange& exchange) {
  const auto& request = exchange.request();
  const auto name_space = required(request, "namespace");
  if (!name_space) return exchange.reply(error_response(name_space.error()));
  const auto key = required(request, "key");
  if (!key) return exchange.reply(error_response(key.error()));
  s.kv.erase(std::string(*name_space), std::string(*key), reply_when_stored(exchange));
}

Result<Command> get_kv(Services& s, Exchange& exchange) {
  const auto& request = exchange.request();
  const auto name_space = required(request, "namespace");
  if (!name_space) return std::unexpected(name_space.error());
  const auto key = required(request, "key");
  if (!key) return std::unexpected(key.error());
  const std::string* value = s.kv.get(*name_space, *key);
  if (value == nullptr) {
    return response(
        ResponseCode::kQueryNotFound,
        "No config item, Namespace: " + std::string(*name_space) + " Key: " + std::string(*key));
  }
  return response(ResponseCode::kSuccess).with("value", *value);
}

Result<Command> list_kv(Services& s, Exchange& exchange) {
  const auto name_space = required(exchange.request(), "namespace");
  if (!name_space) return std::unexpected(name_space.error());
  const KvTable* table = s.kv.list(*name_space);
  if (table == nullptr) {
    return response(ResponseCode::kQueryNotFound,
                    "No config item, Namespace: " + std::string(*name_space));
  }
  Command answer = response(ResponseCode::kSuccess);
  answer.body = protocol::KVTable{*table}.to_json();
  return answer;
}

constexpr std::array kHandlers = {
    HandlerEntry{RequestCode::kPutKvConfig, put_kv},
    HandlerEntry{RequestCode::kGetKvConfig, answered<get_kv>},
    HandlerEntry{RequestCode::kDeleteKvConfig, delete_kv},
    HandlerEntry{RequestCode::kGetKvListByNamespace, answered<list_kv>},
};

}  // namespace

std::span<const HandlerEntry> kv_handlers() { return kHandlers; }

}  // namespace gantry::namesrv
