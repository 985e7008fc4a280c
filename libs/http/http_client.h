// SPDX-License-Identifier: Apache-2.0
// One HTTP request at a time, for tools. Blocks; any thread.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "http/http_server.h"

namespace gantry::http {

struct ClientRequest {
  std::string method = "GET";
  std::string host_port;  // "10.0.0.1:5557"
  std::string path;       // with its query
  std::string body{};     // JSON; empty: none
  std::chrono::milliseconds timeout{5000};
};

// Follows redirections. Errors: kUnavailable: no connection, e.g. because nobody listens there;
// kTimeout: no connection or no complete answer in time, or the connection was lost;
// kInvalidArgument: not an address.
Result<Response> send(const ClientRequest& request);

}  // namespace gantry::http
