// SPDX-License-Identifier: Apache-2.0
// Peers that do not read, and peers that say nothing.
#include <gtest/gtest.h>

#include <chrono>

#include "net_test_util.h"
#include "tests/support/log_lines.h"

namespace gantry::net {
namespace {

using std::chrono::milliseconds;

constexpr int kSmallReceiveBuffer = 4096;

// More than the kernel buffers of both ends together.
constexpr std::size_t kHugeBody = std::size_t{12} << 20;

TEST(ServerLimits, APeerThatDoesNotReadIsNoLongerReadFromUntilItDoes) {
  constexpr int kRequests = 120;
  testing::LogLines log;
  RemotingServerOptions options;
  options.output_pause_bytes = 64U << 10;
  TestServer server(options);
  const std::string body(100'000, 'x');
  server.handler.on_request_do = [&](Connection& connection, protocol::CommandView& view) {
    auto answer = protocol::Command::response(0);
    answer.opaque = view.opaque;
    answer.body = body;
    connection.send(answer);
  };
  RawPeer peer(server.port(), kSmallReceiveBuffer);
  std::string bytes;
  for (int i = 0; i < kRequests; ++i) bytes += encoded(request(10, i));
  ASSERT_TRUE(peer.send(bytes));
  EXPECT_NE(log.line_with("reading paused"), "");
  EXPECT_LT(server.handler.requests.value(), kRequests);
  for (int i = 0; i < kRequests; ++i) {
    const auto answer = peer.receive();
    ASSERT_EQ(answer.opaque, i);
    ASSERT_EQ(answer.body.size(), body.size());
  }
  EXPECT_EQ(server.handler.requests.value(), kRequests);
}

TEST(ServerLimits, APeerThatNeverReadsIsClosedAfterTheStallTime) {
  testing::LogLines log;
  RemotingServerOptions options;
  options.output_stall_max = milliseconds(100);
  TestServer server(options);
  RawPeer peer(server.port(), kSmallReceiveBuffer);
  server.handler.on_request_do = [](Connection& connection, protocol::CommandView& view) {
    auto answer = protocol::Command::response(0);
    answer.opaque = view.opaque;
    answer.body.assign(kHugeBody, 'x');
    connection.send(answer);
  };
  peer.send(request(10, 1));
  EXPECT_NE(log.line_with("the peer has taken nothing for 100 ms"), "");
  ASSERT_TRUE(server.handler.closed.wait_for(1));
}

TEST(ServerLimits, TooMuchOutputClosesTheConnection) {
  testing::LogLines log;
  RemotingServerOptions options;
  options.output_max_bytes = 1U << 20;
  TestServer server(options);
  RawPeer peer(server.port(), kSmallReceiveBuffer);
  server.handler.on_request_do = [](Connection& connection, protocol::CommandView& view) {
    auto answer = protocol::Command::response(0);
    answer.opaque = view.opaque;
    answer.body.assign(kHugeBody, 'x');
    connection.send(answer);
    EXPECT_GT(connection.output_pending(), kHugeBody);
  };
  peer.send(request(10, 1));
  EXPECT_NE(log.line_with("at most 1048576 are allowed"), "");
  ASSERT_TRUE(server.handler.closed.wait_for(1));
}

TEST(ServerLimits, LargeAnswersArriveWholeAndTheirMemoryIsGivenBack) {
  TestServer server;
  RawPeer peer(server.port());
  ConnectionId id = 0;
  server.handler.on_request_do = [&](Connection& connection, protocol::CommandView& view) {
    id = connection.id();
    auto answer = protocol::Command::response(0);
    answer.opaque = view.opaque;
    answer.body.assign(kHugeBody, 'x');
    connection.send(answer);
  };
  peer.send(request(10, 1));
  EXPECT_EQ(peer.receive().body, std::string(kHugeBody, 'x'));
  server.run([&] {
    Connection* const connection = server.server->find(id);
    ASSERT_NE(connection, nullptr);
    EXPECT_EQ(connection->output_pending(), 0U);
    EXPECT_LE(connection->output().capacity(), std::size_t{1} << 20);
  });
}

TEST(ServerLimits, OnlyAnIdleConnectionIsClosed) {
  testing::LogLines log;
  RemotingServerOptions options;
  options.idle_max = milliseconds(1500);
  TestServer server(options);
  RawPeer busy(server.port());
  const auto begin = std::chrono::steady_clock::now();
  RawPeer idle(server.port());
  while (!idle.closed_now() && std::chrono::steady_clock::now() - begin < kPatience) {
    busy.send(request(10, 1, "ping"));
    ASSERT_EQ(busy.receive().body, "ping");
  }
  EXPECT_TRUE(idle.closed_now());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, options.idle_max);
  EXPECT_NE(log.line_with("idle for 1500 ms"), "");
  ASSERT_TRUE(server.handler.closed.wait_for(1));
  busy.send(request(10, 2, "still here"));
  EXPECT_EQ(busy.receive().body, "still here");
}

}  // namespace
}  // namespace gantry::net
