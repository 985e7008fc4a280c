// SPDX-License-Identifier: Apache-2.0
// Private to libs/net: one listening socket. Lives on one shard; held by shared_ptr for its pending
// accept.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/socket.h"
#include "runtime/shard.h"

namespace gantry::net {

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  static constexpr int kBacklog = 1024;  // connections that wait to be accepted

  // Takes each accepted socket, on the shard. May close() or drop the listener.
  using Accepted = std::function<void(TcpSocket)>;

  Listener(runtime::Shard& shard, Accepted accepted);

  // `address` is an IP address; port 0 picks a free one. Returns the bound port. kConflict when it
  // is in use.
  Result<std::uint16_t> open(const std::string& address, std::uint16_t port,
                             int backlog = kBacklog);
  void accept();
  void close();

 private:
  Result<void> bind(const Tcp::endpoint& endpoint, int backlog);
  void on_accept(const SystemError& error);

  runtime::Shard& shard_;
  const Accepted accepted_;
  TcpAcceptor acceptor_;
  TcpSocket next_;
  std::string name_;
  std::unique_ptr<runtime::Timer> pause_;
  bool closed_ = false;
};

}  // namespace gantry::net
