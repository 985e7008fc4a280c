// SPDX-License-Identifier: Apache-2.0
// Dials remoting servers by name and keeps one connection per address: broker to NameServer, tools,
// tests. Names are resolved again on every reconnect. Lives on one shard.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/connection.h"

namespace gantry::runtime {
class Shard;
}

namespace gantry::net {

class RemotingClient {
 public:
  // `handler` may be null: requests from the servers are then answered with code 3.
  RemotingClient(runtime::Shard& shard, ConnectionHandler* handler,
                 std::chrono::milliseconds connect_timeout = std::chrono::seconds(3));
  ~RemotingClient();
  RemotingClient(const RemotingClient&) = delete;
  RemotingClient& operator=(const RemotingClient&) = delete;

  // Shard only. `address` is "host:port". `reply` runs exactly once, on the shard.
  void call(const std::string& address, protocol::Command request,
            std::chrono::milliseconds timeout, Connection::Reply reply);
  void send_oneway(const std::string& address, protocol::Command request);
  void close_all();
  // Shard only: whether the last attempt to connect to that address has failed because its name
  // could not be resolved.
  bool unresolved(const std::string& address) const;
  // Shard only: runs when an established connection to an address has gone, whoever closed it, but
  // not from the destructor on.
  void on_lost(std::move_only_function<void(const std::string& address)> lost);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// For tools and tests: one blocking connection with its own thread inside. Any one thread at a
// time.
class BlockingClient {
 public:
  static Result<std::unique_ptr<BlockingClient>> connect(const std::string& address,
                                                         std::chrono::milliseconds timeout);
  ~BlockingClient();
  Result<protocol::Command> call(protocol::Command request, std::chrono::milliseconds timeout);
  Result<void> send_oneway(protocol::Command request);

 private:
  struct Impl;
  explicit BlockingClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::net
