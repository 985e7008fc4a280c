// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include <fmt/core.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <chrono>
#include <utility>

#include "log/log.h"

namespace gantry::net {
namespace {

constexpr Logger kLog("net");

constexpr std::chrono::milliseconds kAcceptPause{100};

// The process or the machine has no room for another socket; others may free some.
bool out_of_resources(const SystemError& error) {
  return error == boost::asio::error::no_descriptors || error == boost::asio::error::no_memory ||
         error == boost::asio::error::no_buffer_space ||
         error == boost::system::errc::too_many_files_open_in_system;
}

}  // namespace

Listener::Listener(runtime::Shard& shard, Accepted accepted)
    : shard_(shard), accepted_(std::move(accepted)), acceptor_(shard.io()), next_(shard.io()) {}

Result<std::uint16_t> Listener::open(const std::string& address, std::uint16_t port, int backlog) {
  SystemError error;
  const auto ip = boost::asio::ip::make_address(address, error);
  if (error) {
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("listen address '{}' is not an IP address", address));
  }
  name_ = HostPort{address, port}.text();
  GANTRY_TRY(bind({ip, port}, backlog));
  const Tcp::endpoint bound = acceptor_.local_endpoint(error);
  if (error) return make_error(ErrorCode::kIo, fmt::format("{}: {}", name_, error.message()));
  name_ = HostPort{address, bound.port()}.text();
  return bound.port();
}

Result<void> Listener::bind(const Tcp::endpoint& endpoint, int backlog) {
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
  acceptor_.listen(backlog, error);
  if (error) return failed("listen on", error);
  return {};
}

void Listener::accept() {
  acceptor_.async_accept(next_, [self = shared_from_this()](const SystemError& error) {
    if (!self->closed_) self->on_accept(error);
  });
}

void Listener::on_accept(const SystemError& error) {
  if (!error) {
    accepted_(std::exchange(next_, TcpSocket(shard_.io())));
  } else if (out_of_resources(error)) {
    static RateLimit rate(1000);
    kLog.warn(rate, "cannot accept, trying again soon address={} error=\"{}\" pause_ms={}", name_,
              error.message(), kAcceptPause.count());
    pause_ = shard_.after(kAcceptPause, [this] { accept(); });
    return;
  } else {
    kLog.debug("accept failed address={} error=\"{}\"", name_, error.message());
  }
  if (!closed_) accept();  // accepted_ may have closed it
}

void Listener::close() {
  closed_ = true;
  pause_.reset();
  SystemError ignored;
  acceptor_.close(ignored);
}

}  // namespace gantry::net
