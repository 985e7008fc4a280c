// SPDX-License-Identifier: Apache-2.0
#include "namesrv/exchange.h"

#include <string>
#include <utility>

namespace gantry::namesrv {

using protocol::ResponseCode;
using protocol::to_int;

protocol::Command response(ResponseCode code, std::string_view remark) {
  return protocol::Command::response(to_int(code), std::string(remark));
}

protocol::Command error_response(const Error& error) {
  const auto code =
      error.code == ErrorCode::kBusy ? ResponseCode::kSystemBusy : ResponseCode::kSystemError;
  return response(code, error.message);
}

void LateReply::reply(protocol::Command response) const {
  hooks_.answered(request_code_, oneway_ ? kNoAnswer : response.code);
  if (oneway_) return;
  auto* connection = hooks_.find(connection_);
  if (connection == nullptr) return;
  response.opaque = opaque_;
  connection->send(response);
}

void Exchange::reply(protocol::Command response) {
  hooks_.answered(request_.code, request_.is_oneway() ? kNoAnswer : response.code);
  if (request_.is_oneway()) return;
  response.opaque = request_.opaque;
  connection_.send(response);
}

void Exchange::reply(Result<protocol::Command> response) {
  reply(response ? *std::move(response) : error_response(response.error()));
}

void Exchange::reply_body(std::string_view body) {
  const auto code = to_int(ResponseCode::kSuccess);
  hooks_.answered(request_.code, request_.is_oneway() ? kNoAnswer : code);
  if (request_.is_oneway()) return;
  std::string& out = connection_.output();
  protocol::ResponseWriter writer(out, code, request_.opaque);
  writer.finish(body.size());
  out.append(body);
  connection_.touch();
}

LateReply Exchange::late() {
  return LateReply(hooks_, connection_.id(), request_.code, request_.opaque, request_.is_oneway());
}

}  // namespace gantry::namesrv
