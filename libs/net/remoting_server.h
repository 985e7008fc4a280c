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
  // No byte in either direction for this long: closed (RocketMQ: serverChannelMaxIdleTimeSeconds).
  // Checked by one timer per server, so it takes up to an eighth (at most 5 s) longer. 0: never.
  std::chrono::milliseconds idle_max{std::chrono::seconds(120)};
  // A connection whose peer does not read: above `output_pause_bytes` its requests are no longer
  // read; above `output_max_bytes`, or when nothing was taken for `output_stall_max`, it is closed.
  std::size_t output_pause_bytes = 4U << 20;
  std::size_t output_max_bytes = 64U << 20;
  std::chrono::milliseconds output_stall_max{std::chrono::seconds(60)};
  int backlog = 1024;                    // connections that wait to be accepted
  std::size_t connections_max = 100000;  // more are closed right after accept; at most 1048576
};

struct RemotingServerStats {
  std::size_t connections = 0;
  std::uint64_t accepted = 0, rejected = 0, frames_in = 0, bytes_in = 0, bytes_out = 0,
                protocol_errors = 0;
};

class RemotingServer {
 public:
  // `handler` must outlive the server. Destroy the server on the shard, also from inside a
  // handler's callback, or after the shard's loop has ended; it closes its connections (on_close
  // runs).
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
