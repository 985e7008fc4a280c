// SPDX-License-Identifier: Apache-2.0
// Private to libs/net: the handler of a client that was given none. Servers may send requests, too.
#pragma once

#include "net/connection.h"

namespace gantry::net {

// Answers code 3 (REQUEST_CODE_NOT_SUPPORTED); one-way requests are ignored.
class RefuseRequests final : public ConnectionHandler {
 public:
  void on_request(Connection& connection, protocol::CommandView& request) override;
};

}  // namespace gantry::net
