// SPDX-License-Identifier: Apache-2.0
#include "net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace gantry::net {

HostPort to_host_port(const Tcp::endpoint& endpoint) {
  boost::asio::ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  }
  return {address.to_string(), endpoint.port()};
}

Result<SocketNames> prepare_socket(TcpSocket& socket) {
  const auto failed = [](const char* what, const SystemError& error) {
    return make_error(ErrorCode::kIo, std::string(what) + ": " + error.message());
  };
  SystemError error;
  const Tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return failed("getpeername", error);
  const Tcp::endpoint local = socket.local_endpoint(error);
  if (error) return failed("getsockname", error);
  socket.non_blocking(true, error);
  if (error) return failed("set non-blocking", error);
  socket.set_option(Tcp::no_delay(true), error);
  if (error) return failed("set TCP_NODELAY", error);
  return SocketNames{to_host_port(peer), to_host_port(local)};
}

Result<void> keep_alive(TcpSocket& socket, std::chrono::seconds silence_max) {
  using boost::asio::detail::socket_option::integer;
  const auto seconds = static_cast<int>(std::max<std::int64_t>(silence_max.count(), 3));
  SystemError error;
  const auto set = [&](const auto& option) {
    if (!error) socket.set_option(option, error);
  };
  set(boost::asio::socket_base::keep_alive(true));
  set(integer<IPPROTO_TCP, TCP_KEEPIDLE>(seconds / 3));
  set(integer<IPPROTO_TCP, TCP_KEEPINTVL>(seconds / 3));
  set(integer<IPPROTO_TCP, TCP_KEEPCNT>(2));
  set(integer<IPPROTO_TCP, TCP_USER_TIMEOUT>(seconds * 1000));
  if (error) return make_error(ErrorCode::kIo, error.message());
  return {};
}

}  // namespace gantry::net
