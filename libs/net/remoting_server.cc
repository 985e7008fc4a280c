// SPDX-License-Identifier: Apache-2.0
#include "net/remoting_server.h"

#include <utility>
#include <vector>

#include "net/connection_set.h"
#include "net/listener.h"
#include "net/socket.h"
#include "net/tcp_connection.h"
#include "runtime/shard.h"

namespace gantry::net {
namespace {

ConnectionLimits limits_of(const RemotingServerOptions& options) {
  ConnectionLimits limits;
  limits.idle_max = options.idle_max;
  limits.output_stall_max = options.output_stall_max;
  limits.output_pause_bytes = options.output_pause_bytes;
  limits.output_max_bytes = options.output_max_bytes;
  limits.connections_max = options.connections_max;
  return limits;
}

}  // namespace

struct RemotingServer::Impl {
  Impl(runtime::Shard& s, ConnectionHandler& handler, const RemotingServerOptions& options)
      : shard(s),
        backlog(options.backlog),
        set(std::make_shared<ConnectionSet>(s, handler, limits_of(options))) {}

  runtime::Shard& shard;
  const int backlog;
  std::shared_ptr<ConnectionSet> set;
  std::vector<std::shared_ptr<Listener>> listeners;
};

RemotingServer::RemotingServer(runtime::Shard& shard, ConnectionHandler& handler,
                               RemotingServerOptions options)
    : impl_(std::make_unique<Impl>(shard, handler, options)) {}

RemotingServer::~RemotingServer() {
  stop_accepting();
  impl_->set->shut_down("the server shuts down");
}

Result<std::uint16_t> RemotingServer::listen(const std::string& address, std::uint16_t port) {
  const std::weak_ptr<ConnectionSet> weak = impl_->set;
  auto listener = std::make_shared<Listener>(impl_->shard, [weak](TcpSocket socket) {
    if (const auto set = weak.lock()) set->adopt(std::move(socket));
  });
  auto bound = listener->open(address, port, impl_->backlog);
  if (!bound) return bound;
  listener->accept();
  impl_->listeners.push_back(std::move(listener));
  return bound;
}

void RemotingServer::stop_accepting() {
  for (const auto& listener : impl_->listeners) listener->close();
  impl_->listeners.clear();
}

void RemotingServer::close_all(std::string_view reason) { impl_->set->close_all(reason); }

Connection* RemotingServer::find(ConnectionId id) { return impl_->set->find(id); }

RemotingServerStats RemotingServer::stats() const { return impl_->set->stats(); }

}  // namespace gantry::net
