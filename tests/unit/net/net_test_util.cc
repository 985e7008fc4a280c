// SPDX-License-Identifier: Apache-2.0
#include "net_test_util.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "base/bytes.h"
#include "log/log.h"

namespace gantry::net {

void Counter::add() {
  const std::lock_guard lock(mutex_);
  ++value_;
  changed_.notify_all();
}

int Counter::value() {
  const std::lock_guard lock(mutex_);
  return value_;
}

bool Counter::wait_for(int at_least) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return value_ >= at_least; });
}

RawPeer::RawPeer(std::uint16_t port, int receive_buffer) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
  EXPECT_GE(fd_, 0);
  if (receive_buffer > 0) {
    EXPECT_EQ(::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer), 0);
  }
  const int one = 1;
  EXPECT_EQ(::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), 0);
  timeval patience{};
  patience.tv_sec = kPatience.count();
  EXPECT_EQ(::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  EXPECT_EQ(::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

RawPeer::~RawPeer() { close(); }

RawPeer::RawPeer(RawPeer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

void RawPeer::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool RawPeer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawPeer::send(const protocol::Command& command) { EXPECT_TRUE(send(encoded(command))); }

bool RawPeer::receive_exactly(char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::recv(fd_, data, size, 0);
    if (got <= 0) return false;
    data += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

protocol::Command RawPeer::receive() {
  char length[4];
  if (!receive_exactly(length, sizeof length)) {
    ADD_FAILURE() << "no frame came";
    return {};
  }
  std::string frame(load_be<std::uint32_t>(length), '\0');
  EXPECT_TRUE(receive_exactly(frame.data(), frame.size()));
  protocol::CommandView view;
  const auto decoded = protocol::decode(frame, view);
  EXPECT_TRUE(decoded.has_value());
  return protocol::to_command(view);
}

std::string RawPeer::receive_frame() {
  std::string frame(4, '\0');
  if (!receive_exactly(frame.data(), frame.size())) return {};
  const std::size_t rest = load_be<std::uint32_t>(frame.data());
  frame.resize(4 + rest);
  return receive_exactly(frame.data() + 4, rest) ? frame : std::string();
}

bool RawPeer::closed() {
  char byte = 0;
  const ssize_t got = ::recv(fd_, &byte, 1, 0);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

bool RawPeer::closed_now() {
  char byte = 0;
  const ssize_t got = ::recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

std::string encoded(const protocol::Command& command) {
  std::string bytes;
  protocol::encode(command, bytes);
  return bytes;
}

protocol::Command request(std::int32_t code, std::int32_t opaque, std::string body) {
  auto command = protocol::Command::request(code);
  command.opaque = opaque;
  command.body = std::move(body);
  return command;
}

void echo(Connection& connection, const protocol::CommandView& request) {
  std::string& out = connection.output();
  protocol::ResponseWriter writer(out, 0, request.opaque);
  writer.finish(request.body.size());
  out += request.body;
  connection.touch();
}

void EchoHandler::on_open(Connection& connection) {
  last_opened = connection.id();
  if (on_open_do) on_open_do(connection);
  opened.add();
}

void EchoHandler::on_request(Connection& connection, protocol::CommandView& request) {
  if (on_request_do) {
    on_request_do(connection, request);
  } else {
    echo(connection, request);
  }
  requests.add();
}

void EchoHandler::on_close(Connection& connection) {
  EXPECT_FALSE(connection.open());
  closed.add();
}

TestServer::TestServer(RemotingServerOptions options, std::uint16_t port)
    : server(std::make_unique<RemotingServer>(shard, handler, options)) {
  const auto bound = server->listen("127.0.0.1", port);
  EXPECT_TRUE(bound.has_value()) << bound.error().message;
  port_ = bound.value_or(0);
  shard.start();
}

TestServer::~TestServer() {
  run([this] { server.reset(); });
}

RemotingServerStats TestServer::stats() {
  RemotingServerStats stats;
  run([&] { stats = server->stats(); });
  return stats;
}

void TestServer::run(std::function<void()> function) {
  EXPECT_TRUE(shard.call(std::move(function), kPatience));
}

}  // namespace gantry::net
