// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>

#include "net_test_util.h"

namespace gantry::net {
namespace {

using std::chrono::milliseconds;

TEST(BlockingClient, CallsAndSends) {
  TestServer server;
  auto client = BlockingClient::connect("localhost:" + std::to_string(server.port()), kPatience);
  ASSERT_TRUE(client.has_value()) << client.error().message;
  const auto answer = (*client)->call(request(10, 0, "hi"), kPatience);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, "hi");
  server.run([&] { server.handler.on_request_do = [](Connection&, protocol::CommandView&) {}; });
  ASSERT_TRUE((*client)->send_oneway(request(15, 0)).has_value());
  EXPECT_TRUE(server.handler.requests.wait_for(2));
}

TEST(BlockingClient, SaysWhyItCannotConnect) {
  std::string address;
  {
    const TestServer server;
    address = server.address();
  }
  const auto refused = BlockingClient::connect(address, kPatience);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().message.find(address), std::string::npos);
  const auto bad = BlockingClient::connect("no port", kPatience);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
}

TEST(BlockingClient, TimesOutAndSurvives) {
  TestServer server;
  server.handler.on_request_do = [](Connection& connection, protocol::CommandView& view) {
    if (view.code == 10) echo(connection, view);
  };
  auto client = BlockingClient::connect(server.address(), kPatience);
  ASSERT_TRUE(client.has_value());
  const auto late = (*client)->call(request(11, 0), milliseconds(10));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
  EXPECT_TRUE((*client)->call(request(10, 0), kPatience).has_value());
}

TEST(BlockingClient, FailsForGoodWhenTheServerHasGone) {
  auto server = std::make_unique<TestServer>();
  server->handler.on_request_do = [&](Connection& connection, protocol::CommandView&) {
    connection.close("test");
  };
  auto client = BlockingClient::connect(server->address(), kPatience);
  ASSERT_TRUE(client.has_value());
  for (int i = 0; i < 2; ++i) {
    const auto answer = (*client)->call(request(10, 0), kPatience);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  }
  EXPECT_FALSE((*client)->send_oneway(request(10, 0)).has_value());
}

}  // namespace
}  // namespace gantry::net
