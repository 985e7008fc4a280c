// SPDX-License-Identifier: Apache-2.0
// Private to libs/net: the socket types. Bound to io_context's own executor, which saves the type
// erasure of Asio's default. The only file to change when connections can be something else (TLS).
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <string>

#include "base/result.h"
#include "net/connection.h"

namespace gantry::net {

using Tcp = boost::asio::ip::tcp;
using Executor = boost::asio::io_context::executor_type;
using TcpSocket = boost::asio::basic_stream_socket<Tcp, Executor>;
using TcpAcceptor = boost::asio::basic_socket_acceptor<Tcp, Executor>;
using SystemError = boost::system::error_code;

HostPort to_host_port(const Tcp::endpoint& endpoint);

struct SocketNames {
  HostPort peer;
  HostPort local;
};
// Makes a fresh connection non-blocking without delay, and reads its two ends.
Result<SocketNames> prepare_socket(TcpSocket& socket);
// The kernel asks an idle peer whether it is there and ends the connection when nothing came back
// for `silence_max`, be it to data or to the question.
Result<void> keep_alive(TcpSocket& socket, std::chrono::seconds silence_max);

}  // namespace gantry::net
