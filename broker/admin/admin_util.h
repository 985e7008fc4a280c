// SPDX-License-Identifier: Apache-2.0
// What the administration handlers share: binding, answering with a body, answering after commit.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "broker/core/context.h"

namespace gantry::broker {

using AdminFunction = void (*)(BrokerContext&, net::Connection&, const protocol::CommandView&);

inline Dispatcher::Handler bind_admin(BrokerContext& context, AdminFunction function) {
  return [&context, function](net::Connection& connection, const protocol::CommandView& request) {
    function(context, connection, request);
  };
}

inline void respond_body(net::Connection& connection, const protocol::CommandView& request,
                         std::string body,
                         protocol::Command response = protocol::Command::response(0)) {
  response.body = std::move(body);
  respond(connection, request, std::move(response));
}

inline protocol::Command response_with_body(std::string body) {
  protocol::Command response = protocol::Command::response(0);
  response.body = std::move(body);
  return response;
}

// For Proposals and OffsetManager: answers 0, or 1 with the reason, once the command is applied.
inline replog::CommandLog::Done respond_when_done(BrokerContext& context,
                                                  const net::Connection& connection,
                                                  const protocol::CommandView& request) {
  return [responder = Responder(context.connections, connection, request)](Result<void> done) {
    if (done) {
      responder.send(protocol::ResponseCode::kSuccess);
    } else {
      responder.send(protocol::ResponseCode::kSystemError, done.error().message);
    }
  };
}

// True when the field is there; else answers 1 naming it.
inline bool require(net::Connection& connection, const protocol::CommandView& request,
                    std::string_view field) {
  if (!request.ext.get(field).empty()) return true;
  respond(connection, request, protocol::ResponseCode::kSystemError,
          "the custom field <" + std::string(field) + "> is null");
  return false;
}

}  // namespace gantry::broker
