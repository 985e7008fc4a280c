// SPDX-License-Identifier: Apache-2.0
// Pulls without a subscription, as stock push consumers send them: to a broker that was restarted
// and has not had a heartbeat of the group's clients, or not of all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "protocol/heartbeat.h"
#include "protocol/subscription_group_config.h"
#include "state/commands.h"
#include "tests/unit/broker/broker_rig.h"

namespace gantry::broker::test {
namespace {

using protocol::Command;
using protocol::RequestCode;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Matches;
using ::testing::StartsWith;

constexpr std::int64_t kVersion = 1700000000000;

class Subscriptions : public ::testing::Test {
 protected:
  Subscriptions() {
    rig_.start();
    rig_.create_topic("T");
    rig_.send("T", "a",
              "TAGS\x01"
              "A\x02");
    rig_.send("T", "b",
              "TAGS\x01"
              "B\x02");
    rig_.send("T", "c",
              "TAGS\x01"
              "C\x02");
    const auto level = ContainsRegex("\ngantry_state_feature_level[^\n]* " +
                                     std::to_string(state::kSupportedFeatureLevel) + "\n");
    EXPECT_TRUE(rig_.eventually([&] { return Matches(level)(rig_.http_get("/metrics")); }));
  }

  // Of one client, with all that it subscribes to; returns when its effects are committed.
  void heartbeat(const std::string& text, std::int64_t version = kVersion,
                 const std::function<void(protocol::HeartbeatData&)>& change = {}) {
    auto data = protocol::build_subscription("T", text, "TAG");
    ASSERT_TRUE(data);
    data->sub_version = version;
    protocol::HeartbeatData heartbeat;
    heartbeat.client_id = "client";
    heartbeat.consumers.push_back({.group_name = "G", .subscriptions = {*data}});
    if (change) change(heartbeat);
    ASSERT_EQ(rig_.call(RequestCode::kHeartBeat, {}, heartbeat.to_json()).code, 0);
    rig_.create_topic("Behind");
  }
  Command pull(std::int64_t version = kVersion) {
    return rig_.call(RequestCode::kPullMessage, {{"consumerGroup", "G"},
                                                 {"topic", "T"},
                                                 {"queueId", "0"},
                                                 {"queueOffset", "0"},
                                                 {"maxMsgNums", "32"},
                                                 {"sysFlag", "0"},
                                                 {"commitOffset", "0"},
                                                 {"suspendTimeoutMillis", "0"},
                                                 {"subVersion", std::to_string(version)}});
  }
  std::vector<std::string> pulled(std::int64_t version = kVersion) {
    const Command answer = pull(version);
    EXPECT_EQ(answer.code, 0) << answer.remark.value_or("");
    return BrokerRig::bodies(answer);
  }

  BrokerRig rig_;
};

TEST_F(Subscriptions, OutliveARestart) {
  heartbeat("A || C");
  EXPECT_THAT(pulled(), ElementsAre("a", "c"));
  rig_.restart();
  EXPECT_THAT(pulled(), ElementsAre("a", "c"));
  EXPECT_THAT(pulled(kVersion - 1), ElementsAre("a", "c")) << "of an instance that began earlier";
  const Command online = rig_.call(RequestCode::kGetConsumerListByGroup, {{"consumerGroup", "G"}});
  EXPECT_EQ(online.code, 1);
  EXPECT_THAT(online.remark.value_or(""), HasSubstr("no consumer for this group"));
}

TEST_F(Subscriptions, DoNotFilterPullsOfANewerOne) {
  heartbeat("A");
  rig_.restart();
  const Command newer = pull(kVersion + 1);
  EXPECT_EQ(newer.code, 25);
  EXPECT_EQ(newer.remark, "the consumer's subscription not latest");
  EXPECT_EQ(pull(kVersion / 1000000).code, 25) << "a version in another unit";
  heartbeat("B", kVersion + 1);
  EXPECT_THAT(pulled(kVersion + 1), ElementsAre("b"));
  rig_.restart();
  EXPECT_THAT(pulled(kVersion + 1), ElementsAre("b"));
}

TEST_F(Subscriptions, LeaveFilteringToAClientThatNamesNoVersion) {
  heartbeat("A");
  EXPECT_THAT(pulled(0), ElementsAre("a"));
  rig_.restart();
  EXPECT_THAT(pulled(0), ElementsAre("a", "b", "c"));
}

TEST_F(Subscriptions, ServeClientsThatAreNotBackYet) {
  heartbeat("A");
  rig_.restart();
  // Online without a subscription: this client believes that the broker knows it.
  heartbeat("A", kVersion, [](protocol::HeartbeatData& heartbeat) {
    heartbeat.heartbeat_fingerprint = 7;
    heartbeat.without_sub = true;
    heartbeat.consumers.front().subscriptions.clear();
  });
  EXPECT_THAT(pulled(), ElementsAre("a"));
  // The instance that began first is back, the others are newer.
  heartbeat("A", kVersion - 10);
  EXPECT_THAT(pulled(), ElementsAre("a"));
  EXPECT_EQ(pull(kVersion + 1).code, 25);
  rig_.restart();
  EXPECT_THAT(pulled(), ElementsAre("a")) << "the newest version was kept";
}

TEST_F(Subscriptions, FollowHeartbeatsWhenTheirIntervalIsOver) {
  const auto digest = [&] {
    const std::string node = rig_.http_get("/v1/node");
    const std::size_t at = node.find("\"stateDigest\"");
    return at == std::string::npos ? std::string() : node.substr(at, node.find(',', at) - at);
  };
  heartbeat("A");
  const std::string first = digest();
  ASSERT_NE(first, "");
  heartbeat("B", kVersion + 1);
  EXPECT_THAT(pulled(kVersion + 1), ElementsAre("b"));
  rig_.clock.move(std::chrono::seconds(5));
  EXPECT_TRUE(rig_.eventually([&] { return digest() != first; }));
  rig_.restart();
  EXPECT_THAT(pulled(kVersion + 1), ElementsAre("b"));
}

TEST_F(Subscriptions, OfATopicThatIsNotListedAnyMoreGo) {
  heartbeat("A");
  rig_.clock.move(std::chrono::seconds(5));
  heartbeat("A", kVersion, [](protocol::HeartbeatData& heartbeat) {
    heartbeat.consumers.front().subscriptions.front().topic = "Other";
  });
  const Command online = pull();
  EXPECT_EQ(online.code, 24);
  EXPECT_THAT(online.remark.value_or(""), StartsWith("the consumer's subscription not exist"));
  rig_.restart();
  EXPECT_EQ(pull().code, 24);
}

TEST_F(Subscriptions, GoWithTheirGroup) {
  EXPECT_EQ(pull().code, 24) << "never heard of";
  heartbeat("A");
  ASSERT_EQ(rig_.call(RequestCode::kDeleteSubscriptionGroup, {{"groupName", "G"}}).code, 0);
  rig_.restart();
  const Command answer = pull();
  EXPECT_EQ(answer.code, 24);
  EXPECT_THAT(answer.remark.value_or(""), StartsWith("the consumer's group info not exist"));
}

TEST_F(Subscriptions, AreHeldToTheRulesOfTheirGroup) {
  protocol::SubscriptionGroupConfig config;
  config.group_name = "G";
  config.consume_broadcast_enable = false;
  const auto set = [&] {
    ASSERT_EQ(rig_.call(RequestCode::kUpdateAndCreateSubscriptionGroup, {}, config.to_json()).code,
              0);
  };
  set();
  heartbeat("A", kVersion, [](protocol::HeartbeatData& heartbeat) {
    heartbeat.consumers.front().message_model = protocol::MessageModel::kBroadcasting;
  });
  rig_.restart();
  EXPECT_EQ(pull().code, 16);
  config.consume_broadcast_enable = true;
  set();
  EXPECT_THAT(pulled(), ElementsAre("a"));

  rig_.clock.move(std::chrono::seconds(5));
  heartbeat("A", kVersion + 1, [](protocol::HeartbeatData& heartbeat) {
    protocol::SubscriptionData& data = heartbeat.consumers.front().subscriptions.front();
    data.expression_type = "SQL92";
    data.sub_string = "a > 1";
  });
  rig_.restart();
  const Command sql = pull(kVersion + 1);
  EXPECT_EQ(sql.code, 1);
  EXPECT_THAT(sql.remark.value_or(""), HasSubstr("SQL92"));
}

}  // namespace
}  // namespace gantry::broker::test
