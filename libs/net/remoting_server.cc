// SPDX-License-Identifier: Apache-2.0
#include "net/remoting_server.h"

#include <fmt/core.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <utility>
#include <vector>

#include "log/log.h"
#include "net/connection_set.h"
#include "net/socket.h"
#include "net/tcp_connection.h"
#include "runtime/shard.h"

namespace gantry::net {
namespace {

constexpr Logger kLog("net");

constexpr int kBacklog = 1024;
constexpr std::chrono::milliseconds kAcceptPause{100};

ConnectionLimits limits_of(const RemotingServerOptions& options) {
  ConnectionLimits limits;
  limits.idle_max = options.idle_max;
  limits.output_stall_max = options.output_stall_max;
  limits.output_pause_bytes = options.output_pause_bytes;
  limits.output_max_bytes = options.output_max_bytes;
  limits.connections_max = options.connections_max;
  return limits;
}

// The process or the machine has no room for another socket; others may free some.
bool out_of_resources(const SystemError& error) {
  return error == boost::asio::error::no_descriptors || error == boost::asio::error::no_memory ||
         error == boost::asio::error::no_buffer_space ||
         error == boost::system::errc::too_many_files_open_in_system;
}

// One listening socket. Held by shared_ptr for its pending accept.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(runtime::Shard& shard, std::weak_ptr<ConnectionSet> set)
      : shard_(shard), set_(std::move(set)), acceptor_(shard.io()), next_(shard.io()) {}

  Result<std::uint16_t> open(const std::string& address, std::uint16_t port);
  void accept();
  void close();

 private:
  Result<void> bind(const Tcp::endpoint& endpoint);
  void on_accept(const SystemError& error);

  runtime::Shard& shard_;
  std::weak_ptr<ConnectionSet> set_;
  TcpAcceptor acceptor_;
  TcpSocket next_;
  std::string name_;
  std::unique_ptr<runtime::Timer> pause_;
  bool closed_ = false;
};

Result<std::uint16_t> Listener::open(const std::string& address, std::uint16_t port) {
  SystemError error;
  const auto ip = boost::asio::ip::make_address(address, error);
  if (error) {
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("listen address '{}' is not an IP address", address));
  }
  name_ = HostPort{address, port}.text();
  GANTRY_TRY(bind({ip, port}));
  const Tcp::endpoint bound = acceptor_.local_endpoint(error);
  if (error) return make_error(ErrorCode::kIo, fmt::format("{}: {}", name_, error.message()));
  name_ = HostPort{address, bound.port()}.text();
  return bound.port();
}

Result<void> Listener::bind(const Tcp::endpoint& endpoint) {
  const auto failed = [this](const char* what, const SystemError& error) {
    const bool taken = error == boost::asio::error::address_in_use;
    return make_error(taken ? ErrorCode::kConflict : ErrorCode::kIo,
                      fmt::format("cannot {} {}: {}", what, name_, error.message()));
  };
  SystemError error;
  acceptor_.open(endpoint.protocol(), error);
  if (error) return failed("open a socket for", error);
  acceptor_.set_option(TcpAcceptor::reuse_address(true), error);
  if (error) return failed("set SO_REUSEADDR on", error);
  if (endpoint.address().is_v6()) {
    acceptor_.set_option(boost::asio::ip::v6_only(false), error);
    if (error) return failed("clear IPV6_V6ONLY on", error);
  }
  acceptor_.bind(endpoint, error);
  if (error) return failed("listen on", error);
  acceptor_.listen(kBacklog, error);
  if (error) return failed("listen on", error);
  return {};
}

void Listener::accept() {
  acceptor_.async_accept(next_, [self = shared_from_this()](const SystemError& error) {
    if (!self->closed_) self->on_accept(error);
  });
}

void Listener::on_accept(const SystemError& error) {
  const auto set = set_.lock();
  if (set == nullptr) return;
  if (!error) {
    set->adopt(std::exchange(next_, TcpSocket(shard_.io())));
  } else if (out_of_resources(error)) {
    static RateLimit rate(1000);
    kLog.warn(rate, "cannot accept, trying again soon address={} error=\"{}\" pause_ms={}", name_,
              error.message(), kAcceptPause.count());
    pause_ = shard_.after(kAcceptPause, [this] { accept(); });
    return;
  } else {
    kLog.debug("accept failed address={} error=\"{}\"", name_, error.message());
  }
  if (!closed_) accept();  // on_open may have closed or destroyed the server
}

void Listener::close() {
  closed_ = true;
  pause_.reset();
  SystemError ignored;
  acceptor_.close(ignored);
}

}  // namespace

struct RemotingServer::Impl {
  Impl(runtime::Shard& s, ConnectionHandler& handler, const RemotingServerOptions& options)
      : shard(s), set(std::make_shared<ConnectionSet>(s, handler, limits_of(options))) {}

  runtime::Shard& shard;
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
  auto listener = std::make_shared<Listener>(impl_->shard, impl_->set);
  auto bound = listener->open(address, port);
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
