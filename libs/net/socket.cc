// SPDX-License-Identifier: Apache-2.0
#include "net/socket.h"

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

}  // namespace gantry::net
