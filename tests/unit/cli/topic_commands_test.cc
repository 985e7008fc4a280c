// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/cli/fake_cluster.h"

namespace gantry::test {
namespace {

using nlohmann::json;
using protocol::RequestCode;
using protocol::ResponseCode;
using testing::HasSubstr;
using testing::Not;

TEST(TopicCreate, MakesTheTopic) {
  FakeCluster cluster;
  const Ran ran = run_gantry(cluster, {"topic", "create", "orders", "--queues", "4"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "Topic orders has 4 queues to write, 4 to read, permission RW, on 1 broker.\n");
  EXPECT_TRUE(cluster.has_topic("orders"));
}

TEST(TopicCreate, SendsTypeAndAttributes) {
  FakeCluster cluster;
  const Ran ran = run_gantry(cluster, {"topic", "create", "orders", "--type", "fifo", "--attribute",
                                       "reserve.time=5", "--permission", "r"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto request = cluster.server().requests(RequestCode::kUpdateAndCreateTopic).at(0);
  EXPECT_EQ(request.find("attributes"), "+message.type=FIFO,+reserve.time=5");
  EXPECT_EQ(request.find("perm"), "4");
}

TEST(TopicCreate, TheSameAgainChangesNothing) {
  FakeCluster cluster;
  cluster.add_topic("orders", 8);
  const Ran ran = run_gantry(cluster, {"topic", "create", "orders"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("exists already"));
  EXPECT_TRUE(cluster.server().requests(RequestCode::kUpdateAndCreateTopic).empty());
}

TEST(TopicCreate, AnotherShapeNeedsUpdate) {
  FakeCluster cluster;
  cluster.add_topic("orders", 2);
  Ran ran = run_gantry(cluster, {"topic", "create", "orders", "--queues", "4"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("exists on broker broker-a with 2 queues"));
  EXPECT_THAT(ran.err, HasSubstr("--update"));
  ran = run_gantry(cluster, {"topic", "create", "orders", "--queues", "4", "--update"});
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST(TopicCreate, AttributesAreComparedToo) {
  FakeCluster cluster;
  cluster.add_topic("orders", 8);
  const Ran ran = run_gantry(cluster, {"topic", "create", "orders", "--type", "FIFO"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("--update"));
  EXPECT_EQ(run_gantry(cluster, {"topic", "create", "orders", "--attribute", "novalue"}).code, 2);
}

TEST(TopicCreate, ARefusalIsShown) {
  FakeCluster cluster;
  cluster.server().on(RequestCode::kUpdateAndCreateTopic,
                      refuse(ResponseCode::kInvalidParameter, "bad name"));
  const Ran ran = run_gantry(cluster, {"topic", "create", "orders"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("bad name (INVALID_PARAMETER, 29)"));
}

TEST(TopicCreate, UnknownBrokerIsNotFound) {
  FakeCluster cluster;
  const Ran ran = run_gantry(cluster, {"topic", "create", "orders", "--broker", "nobody"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("gantry cluster"));
}

TEST(TopicList, HidesWhatIsNotTheUsers) {
  FakeCluster cluster;
  for (const auto* name :
       {"orders", "TBW102", "%RETRY%g", "%DLQ%g", "c1", "broker-a", "rmq_sys_x"}) {
    cluster.add_topic(name, 1);
  }
  Ran ran = run_gantry(cluster, {"topic", "list"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("orders  NORMAL  RW"));
  EXPECT_THAT(ran.out, Not(HasSubstr("RETRY")));
  EXPECT_THAT(ran.out, HasSubstr("6 topics of the system or of groups not shown"));
  ran = run_gantry(cluster, {"topic", "list", "--all", "--json"});
  EXPECT_EQ(json::parse(ran.out)["topics"].size(), 7U);
}

TEST(TopicDescribe, ShowsQueuesAndGroups) {
  FakeCluster cluster;
  cluster.add_topic("orders", 2);
  cluster.add_message("orders", 1, {});
  cluster.add_message("orders", 1, {});
  cluster.set_offset("billing", "orders", 0, 0);
  Ran ran = run_gantry(cluster, {"topic", "describe", "orders", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["messages"], 2);
  EXPECT_EQ(shown["groups"], json::array({"billing"}));
  EXPECT_EQ(shown["queues"][1]["maxOffset"], 2);
  EXPECT_EQ(shown["brokers"][0]["permission"], "RW");
  ran = run_gantry(cluster, {"topic", "describe", "orders"});
  EXPECT_THAT(ran.out, HasSubstr("billing"));
  EXPECT_THAT(ran.out, HasSubstr("On broker-a:"));
}

TEST(TopicDescribe, AMissingTopicIsCodeThree) {
  FakeCluster cluster;
  const Ran ran = run_gantry(cluster, {"topic", "describe", "nothing"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("topic nothing does not exist"));
  EXPECT_THAT(ran.err, HasSubstr("gantry topic create nothing"));
}

TEST(TopicDelete, NeedsAConfirmation) {
  FakeCluster cluster;
  cluster.add_topic("orders", 1);
  Ran ran = run_gantry(cluster, {"topic", "delete", "orders"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_TRUE(cluster.has_topic("orders"));
  ran = run_gantry(cluster, {"topic", "delete", "orders", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_FALSE(cluster.has_topic("orders"));
  EXPECT_EQ(cluster.server().requests(RequestCode::kDeleteTopicInNamesrv).size(), 1U);
  ran = run_gantry(cluster, {"topic", "delete", "orders", "--yes"});
  EXPECT_EQ(ran.code, 3);
}

}  // namespace
}  // namespace gantry::test
