// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/cluster_info.h"
#include "protocol/kv_table.h"
#include "protocol/route_data.h"
#include "protocol/topic_list.h"
#include "tests/unit/protocol/body_test_util.h"

namespace gantry::protocol {
namespace {

TopicRouteData sample_route() {
  TopicRouteData route;
  BrokerData broker;
  broker.cluster = "DefaultCluster";
  broker.broker_name = "broker-a";
  broker.broker_addrs = {{0, "10.0.0.1:10911"}, {1, "10.0.0.2:10911"}};
  route.broker_datas = {broker};
  route.queue_datas = {{.broker_name = "broker-a",
                        .read_queue_nums = 4,
                        .write_queue_nums = 4,
                        .perm = 6,
                        .topic_sys_flag = 0}};
  return route;
}

TEST(TopicRouteDataBody, CanonicalForm) {
  const std::string json =
      R"({"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911","1":"10.0.0.2:10911"},)"
      R"("brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}],)"
      R"("filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,)"
      R"("readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]})";
  expect_json(sample_route(), json);
  expect_every_cut_fails<TopicRouteData>(json);
  expect_json(TopicRouteData{}, R"({"brokerDatas":[],"filterServerTable":{},"queueDatas":[]})");
}

TEST(TopicRouteDataBody, OptionalMembers) {
  TopicRouteData route = sample_route();
  route.order_topic_conf = "broker-a:4";
  route.broker_datas[0].zone_name = "z1";
  route.broker_datas[0].enable_acting_master = true;
  route.filter_server_table["10.0.0.1:10911"] = {"f"};
  TopicQueueMappingInfo info;
  info.topic = "T";
  info.broker_name = "broker-a";
  route.topic_queue_mapping_by_broker.emplace()["broker-a"] = info;
  expect_json(route,
              R"({"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911","1":"10.0.0.2:10911"},)"
              R"("brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":true,)"
              R"("zoneName":"z1"}],"filterServerTable":{"10.0.0.1:10911":["f"]},)"
              R"("orderTopicConf":"broker-a:4","queueDatas":[{"brokerName":"broker-a","perm":6,)"
              R"("readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}],)"
              R"("topicQueueMappingByBroker":{"broker-a":)" +
                  info.to_json() + "}}");
}

TEST(TopicRouteDataBody, BareIntegerKeysAndOldFlagName) {
  const TopicRouteData route = parse<TopicRouteData>(
      R"({"brokerDatas":[{"brokerAddrs":{0:"a:1",12:"b:2"},"brokerName":"b","cluster":"c"}],)"
      R"("queueDatas":[{"brokerName":"b","topicSynFlag":3}]})");
  ASSERT_EQ(route.broker_datas.size(), 1U);
  EXPECT_EQ(route.broker_datas[0].broker_addrs,
            (std::map<std::int64_t, std::string>{{0, "a:1"}, {12, "b:2"}}));
  ASSERT_EQ(route.queue_datas.size(), 1U);
  EXPECT_EQ(route.queue_datas[0].topic_sys_flag, 3);
}

TEST(TopicRouteDataBody, BrokerIdMustBeAWholeNumber) {
  EXPECT_EQ(parse_error<TopicRouteData>(R"({"brokerDatas":[{"brokerAddrs":{"x":"a:1"}}]})"),
            "TopicRouteData: brokerDatas.brokerAddrs.x: "
            "expected a whole number of 64 bits as key");
}

TEST(ClusterInfoBody, CanonicalForm) {
  ClusterInfo info;
  info.broker_addr_table["broker-a"] = sample_route().broker_datas[0];
  info.broker_addr_table["broker-a"].broker_addrs.erase(1);
  info.cluster_addr_table["DefaultCluster"] = {"broker-a"};
  expect_json(info, R"({"brokerAddrTable":{"broker-a":{"brokerAddrs":{"0":"10.0.0.1:10911"},)"
                    R"("brokerName":"broker-a","cluster":"DefaultCluster",)"
                    R"("enableActingMaster":false}},"clusterAddrTable":)"
                    R"({"DefaultCluster":["broker-a"]}})");
}

TEST(BrokerMemberGroupBody, CanonicalForm) {
  BrokerMemberGroup group{.cluster = "c", .broker_name = "b", .broker_addrs = {{0, "a:1"}}};
  expect_json(
      group, R"({"brokerMemberGroup":{"brokerAddrs":{"0":"a:1"},"brokerName":"b","cluster":"c"}})");
}

TEST(SmallTables, KvTableTopicListGroupList) {
  expect_json(KVTable{{{"k", "v"}, {"a", ""}}}, R"({"table":{"a":"","k":"v"}})");
  expect_json(KVTable{}, R"({"table":{}})");
  expect_json(TopicList{{"T2", "T1"}, std::nullopt}, R"({"topicList":["T2","T1"]})");
  expect_json(TopicList{{}, "a:1"}, R"({"brokerAddr":"a:1","topicList":[]})");
  expect_json(GroupList{{"g"}}, R"({"groupList":["g"]})");
}

}  // namespace
}  // namespace gantry::protocol
