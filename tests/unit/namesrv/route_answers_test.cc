// SPDX-License-Identifier: Apache-2.0
// What the table answers, and what operators change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "namesrv/route/route_table.h"
#include "registration.h"

namespace gantry::namesrv {
namespace {

using protocol::QueueData;
using test::BrokerSpec;
using test::register_broker;
using test::version;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class RouteAnswersTest : public ::testing::Test {
 protected:
  RouteTable table{RouteTableOptions{}};
};

TEST_F(RouteAnswersTest, RouteJsonIsTheCanonicalForm) {
  register_broker(table, {.addr = "10.0.0.1:10911"});
  register_broker(table, {.id = 1, .addr = "10.0.0.2:10911", .channel = 2});
  const auto* json = table.route_json("T");
  ASSERT_NE(json, nullptr);
  EXPECT_EQ(*json,
            R"({"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911","1":"10.0.0.2:10911"},)"
            R"("brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}],)"
            R"("filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,)"
            R"("readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]})");
  EXPECT_EQ(table.route_json("nowhere"), nullptr);
}

// Every change of the table must show in the next answer: compares the cached encoding with a fresh
// one after each kind of change.
TEST_F(RouteAnswersTest, CachedRouteIsNeverStale) {
  const auto fresh = [&] {
    const auto* json = table.route_json("T");
    const auto route = table.route("T");
    if (json == nullptr || !route) return json == nullptr && !route;
    return *json == route->to_json();
  };
  const auto cached = [&] { return table.stats().cached_routes == 1; };
  register_broker(table, {});
  EXPECT_TRUE(fresh() && cached());
  register_broker(table, {.id = 1, .addr = "10.0.0.2:10911", .channel = 2});
  EXPECT_TRUE(fresh() && cached());
  register_broker(table, {.version = version(2), .topics = {{"T", 4, 9}, {"U"}}});
  EXPECT_TRUE(fresh() && cached());
  register_broker(table, {.version = version(2), .topics = {{"T", 4, 9}, {"U"}}, .zone = "z1"});
  EXPECT_TRUE(fresh() && cached());
  register_broker(table, {.version = version(2),
                          .topics = {{"T", 4, 9}, {"U"}},
                          .zone = "z1",
                          .filter_servers = {"10.0.0.1:30001"}});
  EXPECT_TRUE(fresh() && cached());
  table.add_write_perm("broker-a");
  EXPECT_TRUE(fresh() && cached());
  table.wipe_write_perm("broker-a");
  EXPECT_TRUE(fresh() && cached());
  table.register_topic("T", {QueueData{"broker-a", 1, 1, 6, 0}});
  EXPECT_TRUE(fresh() && cached());
  table.channel_closed(2);
  EXPECT_TRUE(fresh() && cached());
  table.set_options({.support_acting_master = true});
  EXPECT_TRUE(fresh() && cached());
  table.delete_topic("T");
  EXPECT_TRUE(fresh());
  register_broker(table, {.version = version(5)}, 0);
  EXPECT_TRUE(fresh() && cached());
  table.expire(1'000'000);
  EXPECT_TRUE(fresh());
  EXPECT_EQ(table.stats().cached_routes, 0U);
}

TEST_F(RouteAnswersTest, RefreshWithoutChangeKeepsTheCache) {
  register_broker(table, {});
  table.route_json("T");
  register_broker(table, {});
  EXPECT_EQ(table.stats().cached_routes, 1U);
}

TEST_F(RouteAnswersTest, BrokersOfATopicComeSortedByName) {
  for (const char* name : {"broker-c", "broker-a", "broker-b"}) {
    register_broker(table, {.name = name, .addr = std::string(name) + ":10911"});
  }
  std::vector<std::string> names;
  const auto route = table.route("T");
  ASSERT_TRUE(route);
  for (const auto& q : route->queue_datas) names.push_back(q.broker_name);
  EXPECT_THAT(names, ElementsAre("broker-a", "broker-b", "broker-c"));
}

TEST_F(RouteAnswersTest, FilterServersAreShownPerAddressAndGoWithIt) {
  register_broker(table, {.filter_servers = {"10.0.0.1:30001", "10.0.0.1:30002"}});
  EXPECT_THAT(table.route("T")->filter_server_table,
              ElementsAre(Pair("10.0.0.1:10911", ElementsAre("10.0.0.1:30001", "10.0.0.1:30002"))));
  register_broker(table, {.filter_servers = {}});
  EXPECT_THAT(table.route("T")->filter_server_table, IsEmpty());
}

TEST_F(RouteAnswersTest, StaticTopicMappingsAreGivenOut) {
  auto body = test::body_of({});
  protocol::TopicQueueMappingInfo info;
  info.topic = "T";
  info.broker_name = "broker-a";
  info.total_queues = 2;
  info.curr_id_map = {{0, 0}, {1, 1}};
  body.topic_configs.mapping_infos.emplace("T", info);
  table.register_broker(test::header_of({}), body, 1, 0);
  const auto route = table.route("T");
  ASSERT_TRUE(route && route->topic_queue_mapping_by_broker);
  EXPECT_THAT(*route->topic_queue_mapping_by_broker, ElementsAre(Pair("broker-a", info)));
  EXPECT_FALSE(table.route("TBW102")->topic_queue_mapping_by_broker);

  // Deleted here, and back with the next registration although the data version is the same.
  table.delete_topic("T");
  table.register_broker(test::header_of({}), body, 1, 0);
  EXPECT_TRUE(table.route("T")->topic_queue_mapping_by_broker);

  info.epoch = 5;
  body.topic_configs.mapping_infos.insert_or_assign("T", info);
  table.register_broker(test::header_of({}), body, 1, 0);
  EXPECT_EQ(table.route("T")->topic_queue_mapping_by_broker->at("broker-a").epoch, 0)
      << "same data version";
  body.topic_configs.data_version = version(2);
  table.register_broker(test::header_of({}), body, 1, 0);
  EXPECT_EQ(table.route("T")->topic_queue_mapping_by_broker->at("broker-a").epoch, 5);
}

TEST_F(RouteAnswersTest, WipeAndAddWritePermCountAllTopicsOfTheBroker) {
  register_broker(table, {.topics = {{"A", 7}, {"B", 6}, {"C", 4}}});
  register_broker(
      table,
      {.name = "broker-b", .addr = "10.0.0.2:10911", .topics = {{"A"}, {"Z"}}, .channel = 2});
  EXPECT_EQ(table.wipe_write_perm("broker-a"), 3);
  EXPECT_EQ(table.route("A")->queue_datas[0].perm, 5);
  EXPECT_EQ(table.route("A")->queue_datas[1].perm, 6);
  EXPECT_EQ(table.route("C")->queue_datas[0].perm, 4);
  EXPECT_EQ(table.add_write_perm("broker-a"), 3);
  EXPECT_EQ(table.route("A")->queue_datas[0].perm, 6) << "read and write, nothing else";
  EXPECT_EQ(table.wipe_write_perm("nobody"), 0);
}

TEST_F(RouteAnswersTest, DeleteTopicOfOneClusterOnly) {
  register_broker(table, {.topics = {{"T"}, {"U"}}});
  register_broker(table, {.name = "broker-b",
                          .addr = "10.0.0.2:10911",
                          .cluster = "Other",
                          .topics = {{"T"}, {"U"}},
                          .channel = 2});
  table.delete_topic("T", "Other");
  ASSERT_TRUE(table.route("T"));
  EXPECT_EQ(table.route("T")->queue_datas.size(), 1U);
  table.delete_topic("T", "NoSuchCluster");
  EXPECT_TRUE(table.route("T"));
  table.delete_topic("T", "DefaultCluster");
  EXPECT_FALSE(table.route("T"));
  table.delete_topic("U");
  EXPECT_FALSE(table.route("U"));
  table.delete_topic("U");
}

TEST_F(RouteAnswersTest, RegisterTopicTakesKnownBrokersOnly) {
  register_broker(table, {});
  EXPECT_EQ(table.register_topic(
                "New", {QueueData{"broker-a", 2, 3, 6, 1}, QueueData{"stranger", 2, 2, 6, 0}}),
            1);
  EXPECT_THAT(table.route("New")->queue_datas, ElementsAre(QueueData{"broker-a", 2, 3, 6, 1}));
  EXPECT_EQ(table.register_topic("Never", {QueueData{"stranger", 2, 2, 6, 0}}), 0);
  EXPECT_FALSE(table.route("Never"));
  EXPECT_EQ(table.register_topic("New", {QueueData{"broker-a", 8, 8, 4, 0}}), 1);
  EXPECT_THAT(table.route("New")->queue_datas, ElementsAre(QueueData{"broker-a", 8, 8, 4, 0}));
}

TEST_F(RouteAnswersTest, ListsOfTopics) {
  register_broker(table, {.topics = {{"A", 6, 4, 1}, {"B", 6, 4, 2}, {"C", 6, 4, 3}, {"D"}}});
  register_broker(table, {.name = "broker-b",
                          .addr = "10.0.0.2:10911",
                          .cluster = "Other",
                          .topics = {{"D"}, {"E"}},
                          .channel = 2});
  EXPECT_THAT(table.all_topics().topics, ElementsAre("A", "B", "C", "D", "E"));
  EXPECT_THAT(table.topics_of_cluster("Other").topics, ElementsAre("D", "E"));
  EXPECT_THAT(table.topics_of_cluster("nowhere").topics, IsEmpty());
  EXPECT_THAT(table.unit_topics(UnitFilter::kUnit).topics, ElementsAre("A", "C"));
  EXPECT_THAT(table.unit_topics(UnitFilter::kUnitSub).topics, ElementsAre("B", "C"));
  EXPECT_THAT(table.unit_topics(UnitFilter::kUnitSubButNotUnit).topics, ElementsAre("B"));
}

TEST_F(RouteAnswersTest, SystemTopicsAreClusterAndBrokerNamesWithOneAddress) {
  EXPECT_FALSE(table.system_topics().broker_addr);
  register_broker(table, {});
  const auto list = table.system_topics();
  EXPECT_THAT(list.topics, ElementsAre("DefaultCluster", "broker-a"));
  EXPECT_EQ(list.broker_addr, "10.0.0.1:10911");
}

TEST_F(RouteAnswersTest, MemberGroupOfAnUnknownBrokerIsEmpty) {
  const auto group = table.member_group("c", "b");
  EXPECT_EQ(group.cluster, "c");
  EXPECT_EQ(group.broker_name, "b");
  EXPECT_THAT(group.broker_addrs, IsEmpty());
}

TEST_F(RouteAnswersTest, ZoneKeepsItsBrokersAndThoseWithoutMaster) {
  register_broker(
      table, {.name = "near", .addr = "10.0.0.1:10911", .zone = "Z1", .filter_servers = {"f:1"}});
  register_broker(table, {.name = "far",
                          .addr = "10.0.0.2:10911",
                          .channel = 2,
                          .zone = "z2",
                          .filter_servers = {"f:2"}});
  register_broker(table, {.name = "unzoned", .addr = "10.0.0.3:10911", .channel = 3});
  register_broker(table, {.name = "lost",
                          .id = 1,
                          .addr = "10.0.0.4:10911",
                          .channel = 4,
                          .acting_master = true,
                          .zone = "z2"});
  auto route = *table.route("T");
  keep_zone(route, "z1");
  std::vector<std::string> brokers, queues;
  for (const auto& b : route.broker_datas) brokers.push_back(b.broker_name);
  for (const auto& q : route.queue_datas) queues.push_back(q.broker_name);
  EXPECT_THAT(brokers, ElementsAre("lost", "near"));
  EXPECT_THAT(queues, ElementsAre("lost", "near"));
  EXPECT_THAT(route.filter_server_table, ElementsAre(Pair("10.0.0.1:10911", ElementsAre("f:1"))));
}

TEST(RouteCacheTest, StaysWithinItsBytesAndKeepsTheNewest) {
  RouteCache cache(10);
  cache.put("a", "12345");
  cache.put("b", "12345");
  EXPECT_EQ(cache.bytes(), 10U);
  cache.put("c", "1");
  EXPECT_EQ(cache.find("a"), nullptr);
  ASSERT_NE(cache.find("c"), nullptr);
  EXPECT_EQ(cache.bytes(), 1U);
  cache.put("c", "22");
  EXPECT_EQ(*cache.find("c"), "22");
  EXPECT_EQ(cache.bytes(), 2U);
  EXPECT_EQ(*cache.put("huge", std::string(100, 'x')), std::string(100, 'x'));
  cache.set_bytes_max(50);
  EXPECT_EQ(cache.size(), 0U);
  cache.erase("nothing");
  EXPECT_EQ(cache.bytes(), 0U);
}

}  // namespace
}  // namespace gantry::namesrv
