// SPDX-License-Identifier: Apache-2.0
#include "client/connections.h"

#include <fmt/core.h>

#include "net/remoting_client.h"

namespace gantry::client {

Connections::Connections(Options options) : options_(options) {}
Connections::~Connections() = default;

Result<protocol::Command> Connections::call(const std::string& address, protocol::Command request,
                                            std::optional<std::chrono::milliseconds> timeout) {
  auto known = clients_.find(address);
  if (known == clients_.end()) {
    auto client = net::BlockingClient::connect(address, options_.connect_timeout);
    if (!client) return std::unexpected(std::move(client).error());
    known = clients_.emplace(address, std::move(*client)).first;
  }
  auto answer = known->second->call(std::move(request), timeout.value_or(options_.call_timeout));
  if (!answer) {
    // The peer closed the connection or is silent: the next call starts afresh.
    clients_.erase(known);
    Error error = std::move(answer).error();
    if (error.message.find(address) == std::string::npos) {
      error.message = fmt::format("{}: {}", address, error.message);
    }
    return std::unexpected(std::move(error));
  }
  return answer;
}

}  // namespace gantry::client
