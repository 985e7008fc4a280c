// SPDX-License-Identifier: Apache-2.0
// Requests from the server to its client.
#include <gtest/gtest.h>

#include <chrono>

#include "net_test_util.h"
#include "tests/support/log_lines.h"

namespace gantry::net {
namespace {

using std::chrono::milliseconds;
using Answer = Result<protocol::Command>;

constexpr std::int32_t kServerRequest = 220;

// Calls the peer as soon as it has connected.
struct CallingServer {
  explicit CallingServer(milliseconds timeout) {
    server.handler.on_open_do = [this, timeout](Connection& connection) {
      connection.call(protocol::Command::request(kServerRequest).with("topic", "T"), timeout,
                      [this](Answer answer) {
                        EXPECT_TRUE(server.shard.on_shard());
                        ++replies;
                        reply.set(std::move(answer));
                      });
      EXPECT_EQ(replies, 0);
    };
  }
  TestServer server;
  int replies = 0;
  Eventually<Answer> reply;
};

TEST(ServerCalls, AnAnswerReachesItsCallWhileTheOpaquesOfBothSidesAreIndependent) {
  CallingServer calling(kPatience);
  RawPeer peer(calling.server.port());
  const auto call = peer.receive();
  EXPECT_EQ(call.code, kServerRequest);
  EXPECT_FALSE(call.is_response());
  EXPECT_EQ(call.find("topic"), "T");
  peer.send(request(10, call.opaque, "mine"));  // same opaque, other direction
  EXPECT_EQ(peer.receive().body, "mine");
  auto answer = protocol::Command::response(0);
  answer.opaque = call.opaque;
  answer.body = "yours";
  peer.send(answer);
  const auto reply = calling.reply.wait();
  ASSERT_TRUE(reply.has_value());
  ASSERT_TRUE(reply->has_value());
  EXPECT_EQ((*reply)->body, "yours");
}

TEST(ServerCalls, NoAnswerIsATimeoutAndALateOneIsDropped) {
  testing::LogLines log;
  CallingServer calling(milliseconds(20));
  RawPeer peer(calling.server.port());
  const auto call = peer.receive();
  const auto reply = calling.reply.wait();
  ASSERT_TRUE(reply.has_value());
  ASSERT_FALSE(reply->has_value());
  EXPECT_EQ(reply->error().code, ErrorCode::kTimeout);
  auto late = protocol::Command::response(0);
  late.opaque = call.opaque;
  peer.send(late);
  EXPECT_NE(log.line_with("response without a request, or too late"), "");
  peer.send(request(10, 1, "alive"));
  EXPECT_EQ(peer.receive().body, "alive");
  calling.server.run([&] { EXPECT_EQ(calling.replies, 1); });
}

TEST(ServerCalls, ACloseEndsTheCall) {
  CallingServer calling(kPatience);
  {
    RawPeer peer(calling.server.port());
    peer.receive();
  }
  const auto reply = calling.reply.wait();
  ASSERT_TRUE(reply.has_value());
  ASSERT_FALSE(reply->has_value());
  EXPECT_EQ(reply->error().code, ErrorCode::kUnavailable);
  ASSERT_TRUE(calling.server.handler.closed.wait_for(1));
  calling.server.run([&] { EXPECT_EQ(calling.replies, 1); });
}

TEST(ServerCalls, TheEndOfTheServerEndsTheCall) {
  CallingServer calling(kPatience);
  RawPeer peer(calling.server.port());
  peer.receive();
  calling.server.run([&] { calling.server.server.reset(); });
  const auto reply = calling.reply.wait();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->error().code, ErrorCode::kUnavailable);
}

TEST(ServerCalls, ACallOnAClosedConnectionFailsLater) {
  TestServer server;
  bool inside_call = false;
  Eventually<Answer> reply;
  server.handler.on_request_do = [&](Connection& connection, protocol::CommandView&) {
    connection.close("test");
    inside_call = true;
    connection.call(protocol::Command::request(kServerRequest), kPatience, [&](Answer answer) {
      EXPECT_FALSE(inside_call);
      reply.set(std::move(answer));
    });
    inside_call = false;
  };
  RawPeer peer(server.port());
  peer.send(request(10, 1));
  const auto answer = reply.wait();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->error().code, ErrorCode::kUnavailable);
}

TEST(ServerCalls, CallsEndAtTheirOwnTimes) {
  TestServer server;
  std::string order;
  Eventually<bool> done;
  server.handler.on_open_do = [&](Connection& connection) {
    const auto call = [&](milliseconds timeout, char name) {
      connection.call(protocol::Command::request(kServerRequest), timeout,
                      [&, name](Answer answer) {
                        EXPECT_EQ(answer.error().code, ErrorCode::kTimeout);
                        order += name;
                        if (order.size() == 3) done.set(true);
                      });
    };
    call(milliseconds(60), 'c');
    call(milliseconds(10), 'a');
    call(milliseconds(30), 'b');
  };
  RawPeer peer(server.port());
  ASSERT_TRUE(done.wait().has_value());
  server.run([&] { EXPECT_EQ(order, "abc"); });
}

TEST(ServerCalls, OnewayRequestsCarryTheFlag) {
  TestServer server;
  server.handler.on_open_do = [](Connection& connection) {
    connection.send_oneway(protocol::Command::request(40));
  };
  RawPeer peer(server.port());
  const auto oneway = peer.receive();
  EXPECT_EQ(oneway.code, 40);
  EXPECT_EQ(oneway.flag, protocol::kFlagOneway);
}

}  // namespace
}  // namespace gantry::net
