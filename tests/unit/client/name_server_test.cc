// SPDX-License-Identifier: Apache-2.0
#include "client/name_server.h"

#include <gtest/gtest.h>

#include "client/connections.h"
#include "protocol/topic_list.h"
#include "tests/unit/client/scripted_server.h"

namespace gantry::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;
using test::ScriptedServer;

protocol::TopicRouteData route() {
  protocol::TopicRouteData data;
  protocol::BrokerData broker;
  broker.broker_name = "broker-a";
  broker.broker_addrs = {{0, "10.0.0.1:10911"}};
  data.broker_datas = {broker};
  return data;
}

TEST(ParseAddresses, SplitsAndChecks) {
  EXPECT_EQ(parse_addresses("a:1; b:2;").value(), (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_FALSE(parse_addresses(""));
  EXPECT_FALSE(parse_addresses(" ; "));
  EXPECT_FALSE(parse_addresses("a:1;nonsense"));
}

class NameServerTest : public testing::Test {
 protected:
  ScriptedServer server_;
  Connections connections_{
      {.connect_timeout = std::chrono::seconds(2), .call_timeout = std::chrono::seconds(2)}};
};

TEST_F(NameServerTest, AsksForARoute) {
  server_.on(RequestCode::kGetRouteInfoByTopic, test::with_body(route().to_json()));
  NameServer names(connections_, {server_.address()});
  EXPECT_EQ(names.route("orders").value(), route());
  const auto requests = server_.requests(RequestCode::kGetRouteInfoByTopic);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].find("topic"), "orders");
}

TEST_F(NameServerTest, AnUnknownTopicIsNotFound) {
  server_.on(RequestCode::kGetRouteInfoByTopic, test::refuse(ResponseCode::kTopicNotExist));
  NameServer names(connections_, {server_.address()});
  const auto missing = names.route("orders");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message, "topic orders does not exist");
}

TEST_F(NameServerTest, TheNextOneIsAskedWhenOneIsAway) {
  server_.on(RequestCode::kGetRouteInfoByTopic, test::with_body(route().to_json()));
  NameServer names(connections_, {test::dead_address(), server_.address()});
  EXPECT_TRUE(names.route("orders"));
  EXPECT_TRUE(names.route("orders"));
}

TEST_F(NameServerTest, AllAwayIsUnavailable) {
  NameServer names(connections_, {test::dead_address(), test::dead_address()});
  const auto nobody = names.route("orders");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(nobody.error().message.starts_with("NameServer ")) << nobody.error().message;
}

TEST_F(NameServerTest, SilenceIsATimeoutAndTheNextCallDialsAgain) {
  server_.on(RequestCode::kGetAllTopicListFromNameServer,
             [](const protocol::Command&) { return std::nullopt; });
  NameServer names(connections_, {server_.address()});
  const auto silent = names.topics();
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, ErrorCode::kTimeout);
  server_.on(RequestCode::kGetAllTopicListFromNameServer,
             test::with_body(protocol::TopicList{{"a", "b"}, {}}.to_json()));
  EXPECT_EQ(names.topics().value().size(), 2U);
}

TEST_F(NameServerTest, DeletesEverywhere) {
  ScriptedServer second;
  server_.on(RequestCode::kDeleteTopicInNamesrv, test::success());
  second.on(RequestCode::kDeleteTopicInNamesrv, test::success());
  NameServer names(connections_, {server_.address(), second.address()});
  EXPECT_TRUE(names.delete_topic("orders", "c1"));
  for (const ScriptedServer* one : {&server_, &second}) {
    const auto requests = one->requests(RequestCode::kDeleteTopicInNamesrv);
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].find("topic"), "orders");
    EXPECT_EQ(requests[0].find("clusterName"), "c1");
  }
}

TEST_F(NameServerTest, ABodyThatDoesNotDecodeIsAnError) {
  server_.on(RequestCode::kGetBrokerClusterInfo, test::with_body("not json"));
  NameServer names(connections_, {server_.address()});
  EXPECT_EQ(names.cluster_info().error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace gantry::client
