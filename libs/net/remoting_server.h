// SPDX-License-Identifier: Apache-2.0
// Listens for remoting clients on one or more ports and owns their connections. Lives on one shard.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/connection.h"

namespace gantry::runtime {
class Shard;
}

namespace gantry::net {

struct RemotingServerOptions {
  std::chrono::seconds idle_max{120};  // RocketMQ: serverChannelMaxIdleTimeSeconds
  // A connection whose peer does not read: above `output_pause_bytes` its requests are no longer
  // read; above `output_max_bytes`, or when nothing was taken for `output_stall_max`, it is closed.
  std::size_t output_pause_bytes = 4U << 20;
  std::size_t output_max_bytes = 64U << 20;
  std::chrono::seconds output_stall_max{60};
  std::size_t connections_max = 100000;
};

struct RemotingServerStats {
  std::size_t connections = 0;
  std::uint64_t accepted = 0, rejected = 0, frames_in = 0, bytes_in = 0, bytes_out = 0,
                protocol_errors = 0;
};

class RemotingServer {
 public:
  // `handler` must outlive the server.
  RemotingServer(runtime::Shard& shard, ConnectionHandler& handler, RemotingServerOptions options);
  ~RemotingServer();
  RemotingServer(const RemotingServer&) = delete;
  RemotingServer& operator=(const RemotingServer&) = delete;

  // Before the shard runs, or on it. Port 0 picks a free port; returns the bound port.
  // kConflict names the port when it is in use.
  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);
  // Shard only.
  void stop_accepting();
  void close_all(std::string_view reason);
  Connection* find(ConnectionId id);
  RemotingServerStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::net
