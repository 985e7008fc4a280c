// SPDX-License-Identifier: Apache-2.0
#include "net/refuse_requests.h"

#include <fmt/core.h>

namespace gantry::net {
namespace {

constexpr std::int32_t kRequestCodeNotSupported = 3;

}  // namespace

void RefuseRequests::on_request(Connection& connection, protocol::CommandView& request) {
  if (request.is_oneway()) return;
  auto answer = protocol::Command::response(
      kRequestCodeNotSupported, fmt::format("request type {} not supported", request.code));
  answer.opaque = request.opaque;
  connection.send(answer);
}

}  // namespace gantry::net
