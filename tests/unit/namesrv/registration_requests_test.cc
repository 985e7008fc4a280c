// SPDX-License-Identifier: Apache-2.0
// Registrations and routes as requests: 103, 104, 105, 217, 322, 901, 904.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatcher_fixture.h"
#include "namesrv/min_broker_id_notifier.h"

namespace gantry::namesrv {
namespace {

using protocol::Command;
using protocol::RequestCode;
using protocol::to_int;
using test::DispatcherTest;
using test::Ext;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST_F(DispatcherTest, RegisteredTopicHasARoute) {
  const auto registered = register_broker();
  EXPECT_EQ(registered.code, 0);
  EXPECT_THAT(registered.body, IsEmpty());
  const auto answer = ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}});
  EXPECT_EQ(answer.code, 0);
  EXPECT_EQ(answer.body,
            R"({"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"broker-a",)"
            R"("cluster":"DefaultCluster","enableActingMaster":false}],"filterServerTable":{},)"
            R"("queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,)"
            R"("topicSysFlag":0,"writeQueueNums":4}]})");
}

TEST_F(DispatcherTest, UnknownTopicIs17) {
  const auto answer = ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "X"}});
  EXPECT_EQ(answer.code, 17);
  EXPECT_THAT(answer.remark.value_or(""),
              StartsWith("No topic route info in name server for the topic: X\nSee https://"));
  EXPECT_THAT(answer.body, IsEmpty());
}

TEST_F(DispatcherTest, CppClientsHeaderWithNumbersAndNewline) {
  register_broker();
  send_header(
      "{\"code\":105,\"extFields\":{\"topic\":\"T\"},\"flag\":0,\"language\":\"CPP\","
      "\"opaque\":9,\"version\":333}\n");
  const auto answer = connection.take();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, 0);
  EXPECT_EQ(answer->opaque, 9);
}

TEST_F(DispatcherTest, BinaryHeaderGetsAJsonAnswer) {
  register_broker();
  std::string frame;
  protocol::encode_rocketmq(request(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}}), frame);
  deliver(frame.substr(4));
  ASSERT_GT(connection.output().size(), 8U);
  EXPECT_EQ(connection.output()[4], 0) << "serialize type";
  EXPECT_EQ(connection.take()->code, 0);
}

TEST_F(DispatcherTest, CompressedRegistration) {
  EXPECT_EQ(register_broker({}, true).code, 0);
  EXPECT_TRUE(routes.route("T"));
}

TEST_F(DispatcherTest, JavaRegistrationTextIsUnderstood) {
  const auto answer =
      ask(RequestCode::kRegisterBroker,
          {{"brokerName", "broker-a"},
           {"brokerAddr", "127.0.0.1:10911"},
           {"clusterName", "C"},
           {"haServerAddr", "127.0.0.1:10912"},
           {"brokerId", "0"},
           {"bodyCrc32", "0"},
           {"compressed", "false"},
           {"heartbeatTimeoutMillis", "60000"},
           {"enableActingMaster", "false"},
           {"__ZONE_NAME", "z"}},
          R"({"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":3,)"
          R"("stateVersion":0,"timestamp":1700000000000},"mappingDataVersion":{"counter":0,)"
          R"("stateVersion":0,"timestamp":1700000000000},"topicConfigTable":{"A":{"attributes":{},)"
          R"("order":false,"perm":6,"readQueueNums":8,"topicFilterType":"SINGLE_TAG",)"
          R"("topicName":"A","topicSysFlag":0,"writeQueueNums":8},"B":{"perm":4,"readQueueNums":1,)"
          R"("topicName":"B","writeQueueNums":1}},"topicQueueMappingDetailMap":{},)"
          R"("topicQueueMappingInfoMap":{}}})");
  EXPECT_EQ(answer.code, 0) << answer.remark.value_or("");
  const auto route = routes.route("A");
  ASSERT_TRUE(route);
  EXPECT_EQ(route->queue_datas[0].read_queue_nums, 8);
  EXPECT_EQ(route->broker_datas[0].zone_name, "z");
  EXPECT_EQ(routes.query_data_version("C", "127.0.0.1:10911", {0, 1700000000000, 3}, 0).changed,
            false);
  EXPECT_EQ(routes.expire(services.now_ms() + 60'001).registrations, 1U);
}

TEST_F(DispatcherTest, BrokersBefore3_0_11SendTheTableAlone) {
  Command old = request(RequestCode::kRegisterBroker,
                        {{"brokerName", "b"},
                         {"brokerAddr", "1.1.1.1:1"},
                         {"clusterName", "C"},
                         {"haServerAddr", "1.1.1.1:2"},
                         {"brokerId", "0"}},
                        R"({"topicConfigTable":{"A":{"topicName":"A"},"B":{"topicName":"B"}}})");
  old.version = 20;
  EXPECT_EQ(ask(old).code, 0);
  EXPECT_TRUE(routes.route("A"));
}

TEST_F(DispatcherTest, WrongCrcAndBrokenBodiesAreRefused) {
  auto good = protocol::make_register_broker_request(test::header_of({}), test::body_of({}), false);
  ASSERT_TRUE(good);
  good->body.back() = ' ';
  const auto crc = ask(*good);
  EXPECT_EQ(crc.code, 1);
  EXPECT_EQ(crc.remark, "crc32 not match");

  Ext ext = {{"brokerName", "b"},
             {"brokerAddr", "1.1.1.1:1"},
             {"clusterName", "C"},
             {"haServerAddr", "1.1.1.1:2"},
             {"brokerId", "0"}};
  EXPECT_EQ(ask(RequestCode::kRegisterBroker, ext, "{bad").code, 1);
  ext.emplace_back("compressed", "true");
  EXPECT_EQ(ask(RequestCode::kRegisterBroker, ext, "not zlib").code, 1);
  EXPECT_EQ(routes.stats().registrations, 0U);
}

TEST_F(DispatcherTest, RegistrationsThatWouldBreakRoutesAreRefused) {
  for (const char* addr : {"", "10.0.0.1", ":10911", "10.0.0.1:", "10.0.0.1:x", "a,b:1", "a b:1",
                           "a\"b:1", "10.0.0.1:70000"}) {
    const auto answer = register_broker({.addr = addr});
    EXPECT_EQ(answer.code, 1) << addr;
    EXPECT_THAT(answer.remark.value_or(""), HasSubstr("brokerAddr")) << addr;
  }
  EXPECT_EQ(register_broker({.name = ""}).code, 1);
  EXPECT_EQ(register_broker({.cluster = ""}).code, 1);
  EXPECT_EQ(register_broker({.id = -1}).code, 1);
  EXPECT_EQ(register_broker({.timeout_ms = 0}).code, 1);
  EXPECT_EQ(routes.stats().registrations, 0U);
  EXPECT_EQ(register_broker({.addr = "gantry-0.gantry.default.svc:10911"}).code, 0);
  EXPECT_EQ(register_broker({.addr = "[fd00::1]:10911"}).code, 0);
}

TEST_F(DispatcherTest, SingleTopicRegistrationIsRefusedByName) {
  const auto answer = register_broker({.topics = {{"T"}}});
  EXPECT_EQ(answer.code, 1);
  EXPECT_EQ(answer.remark, "register broker failed");
}

TEST_F(DispatcherTest, SlaveIsTextedItsMaster) {
  register_broker();
  const auto answer = register_broker({.id = 1, .addr = "10.0.0.2:10911"});
  EXPECT_EQ(answer.find("masterAddr"), "10.0.0.1:10911");
  EXPECT_EQ(answer.find("haServerAddr"), "10.0.0.1:10912");
}

TEST_F(DispatcherTest, FencedRegistrationGetsAnEmptySuccess) {
  register_broker({.addr = "10.0.0.2:10911", .version = test::version(1, 6)});
  const auto answer = register_broker({.id = 0, .version = test::version(1, 5)});
  EXPECT_EQ(answer.code, 0);
  EXPECT_FALSE(answer.find("masterAddr"));
  EXPECT_THAT(answer.body, IsEmpty());
}

TEST_F(DispatcherTest, ClosedConnectionTakesItsBrokerWithIt) {
  register_broker();
  dispatcher.on_open(connection);
  dispatcher.on_close(connection);
  EXPECT_EQ(ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}}).code, 17);
}

TEST_F(DispatcherTest, UnregisterHeartbeatAndDataVersion) {
  register_broker({.version = test::version(4)});
  const Ext broker = {{"clusterName", "DefaultCluster"},
                      {"brokerAddr", "10.0.0.1:10911"},
                      {"brokerName", "broker-a"},
                      {"brokerId", "0"}};
  const auto same = ask(RequestCode::kQueryDataVersion, broker, test::version(4).to_json());
  EXPECT_EQ(same.find("changed"), "false");
  EXPECT_EQ(protocol::DataVersion::from_json(same.body), test::version(4));
  EXPECT_EQ(ask(RequestCode::kQueryDataVersion, broker, test::version(5).to_json()).find("changed"),
            "true");
  EXPECT_EQ(ask(RequestCode::kQueryDataVersion, broker, "{").code, 1);
  Ext bad_id = broker;
  bad_id.back().second = "zero";
  EXPECT_THAT(ask(RequestCode::kUnregisterBroker, bad_id).remark.value_or(""),
              HasSubstr("brokerId"));

  clock.now_ms += 100'000;
  EXPECT_EQ(ask(RequestCode::kBrokerHeartbeat, broker).code, 0);
  EXPECT_EQ(routes.expire(services.now_ms() + 100'000).registrations, 0U);

  EXPECT_EQ(ask(RequestCode::kUnregisterBroker, broker).code, 0);
  EXPECT_FALSE(routes.route("T"));
  const auto unknown = ask(RequestCode::kQueryDataVersion, broker, test::version(4).to_json());
  EXPECT_EQ(unknown.find("changed"), "true");
  EXPECT_THAT(unknown.body, IsEmpty());
  EXPECT_EQ(ask(RequestCode::kBrokerHeartbeat, broker).code, 0);
}

TEST_F(DispatcherTest, MemberGroup) {
  register_broker();
  EXPECT_EQ(ask(RequestCode::kGetBrokerMemberGroup,
                {{"clusterName", "DefaultCluster"}, {"brokerName", "broker-a"}})
                .body,
            R"({"brokerMemberGroup":{"brokerAddrs":{"0":"10.0.0.1:10911"},)"
            R"("brokerName":"broker-a","cluster":"DefaultCluster"}})");
}

TEST_F(DispatcherTest, RegisterTopicFromARouteBody) {
  register_broker();
  const std::string body =
      R"({"brokerDatas":[],"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":3,)"
      R"("topicSysFlag":0,"writeQueueNums":3}]})";
  EXPECT_EQ(ask(RequestCode::kRegisterTopicInNamesrv, {{"topic", "New"}}, body).code, 0);
  ASSERT_TRUE(routes.route("New"));
  EXPECT_EQ(routes.route("New")->queue_datas[0].read_queue_nums, 3);
  EXPECT_EQ(ask(RequestCode::kRegisterTopicInNamesrv, {{"topic", "New"}}).code, 0);
  EXPECT_EQ(ask(RequestCode::kRegisterTopicInNamesrv, {{"topic", "New"}}, "{").code, 1);
  EXPECT_EQ(ask(RequestCode::kRegisterTopicInNamesrv, {{"topic", ""}}, body).code, 1);
}

TEST_F(DispatcherTest, ZonesFilterRoutesOnlyWhenAsked) {
  register_broker({.name = "near", .addr = "10.0.0.1:10911", .zone = "z1"});
  register_broker({.name = "far", .addr = "10.0.0.2:10911", .zone = "z2"});
  const auto brokers = [&](Ext ext) {
    ext.emplace_back("topic", "T");
    const auto route =
        protocol::TopicRouteData::from_json(ask(RequestCode::kGetRouteInfoByTopic, ext).body);
    return route ? route->broker_datas.size() : 0;
  };
  EXPECT_EQ(brokers({{"__ZONE_MODE", "true"}, {"__ZONE_NAME", "z1"}}), 1U);
  EXPECT_EQ(brokers({{"__ZONE_MODE", "true"}, {"__ZONE_NAME", "z3"}}), 0U);
  EXPECT_EQ(brokers({{"__ZONE_MODE", "false"}, {"__ZONE_NAME", "z1"}}), 2U);
  EXPECT_EQ(brokers({{"__ZONE_MODE", "true"}, {"__ZONE_NAME", "  "}}), 2U);
  EXPECT_EQ(brokers({{"__ZONE_NAME", "z1"}}), 2U);
}

TEST_F(DispatcherTest, SmallestIdChangesAreToldOnlyWhenEnabled) {
  register_broker({.id = 1, .addr = "10.0.0.2:10911", .acting_master = true});
  register_broker({.id = 0, .acting_master = true});
  EXPECT_THAT(told, IsEmpty());
}

// --- configuration that changes answers ---

config::NamesrvConfig with(void (*change)(config::NamesrvConfig&)) {
  auto config = test::some_config();
  change(config);
  return config;
}

class NotifyingTest : public DispatcherTest {
 protected:
  NotifyingTest() : DispatcherTest(with([](auto& c) { c.notify_min_broker_id_changed = true; })) {}
};

TEST_F(NotifyingTest, TellsOnRegisterUnregisterAndClose) {
  register_broker({.id = 2, .addr = "10.0.0.3:10911", .channel = 1, .acting_master = true});
  register_broker({.id = 1, .addr = "10.0.0.2:10911", .channel = 1, .acting_master = true});
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0].notify, ElementsAre("10.0.0.3:10911"));
  ask(RequestCode::kUnregisterBroker, {{"clusterName", "DefaultCluster"},
                                       {"brokerAddr", "10.0.0.2:10911"},
                                       {"brokerName", "broker-a"},
                                       {"brokerId", "1"}});
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].offline_broker_addr, "10.0.0.2:10911");

  const auto request = min_broker_id_request(told[1]);
  EXPECT_EQ(request.code, 905);
  EXPECT_EQ(request.find("minBrokerId"), "2");
  EXPECT_EQ(request.find("brokerName"), "broker-a");
  EXPECT_EQ(request.find("minBrokerAddr"), "10.0.0.3:10911");
  EXPECT_EQ(request.find("offlineBrokerAddr"), "10.0.0.2:10911");
  EXPECT_FALSE(request.find("haBrokerAddr"));
}

class OrderTest : public DispatcherTest {
 protected:
  OrderTest() : DispatcherTest(with([](auto& c) { c.order_message_enable = true; })) {}
  void put_order(const std::string& topic, const std::string& conf) {
    send(request(RequestCode::kPutKvConfig,
                 {{"namespace", "ORDER_TOPIC_CONFIG"}, {"key", topic}, {"value", conf}}));
    writer.finish();
    EXPECT_EQ(connection.take()->code, 0);
  }
};

TEST_F(OrderTest, OrderConfGoesIntoRoutesAndRegistrations) {
  register_broker();
  put_order("T", "broker-a:4");
  const auto route = protocol::TopicRouteData::from_json(
      ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}}).body);
  ASSERT_TRUE(route);
  EXPECT_EQ(route->order_topic_conf, "broker-a:4");
  const auto other = protocol::TopicRouteData::from_json(
      ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "TBW102"}}).body);
  EXPECT_FALSE(other->order_topic_conf);
  EXPECT_EQ(register_broker().body, R"({"table":{"T":"broker-a:4"}})");
}

class QuietTest : public DispatcherTest {
 protected:
  QuietTest()
      : DispatcherTest(with([](auto& c) {
          c.enable_all_topic_list = false;
          c.enable_topic_list = false;
          c.return_order_topic_config_to_broker = false;
        })) {}
};

TEST_F(QuietTest, DisabledListsAnswer1) {
  EXPECT_EQ(ask(RequestCode::kGetAllTopicListFromNameServer).code, 1);
  EXPECT_EQ(ask(RequestCode::kGetAllTopicListFromNameServer).remark, "disable");
  EXPECT_EQ(ask(RequestCode::kGetTopicsByCluster, {{"cluster", "c"}}).remark, "disable");
  EXPECT_EQ(ask(RequestCode::kGetUnitTopicList).code, 1);
  EXPECT_EQ(ask(RequestCode::kGetHasUnitSubTopicList).code, 1);
  EXPECT_EQ(ask(RequestCode::kGetHasUnitSubUnunitTopicList).code, 1);
}

TEST_F(QuietTest, RegistrationDoesNotCarryOrderConf) {
  kv.put("ORDER_TOPIC_CONFIG", "T", "broker-a:4", [](const Result<void>&) {});
  writer.finish();
  EXPECT_THAT(register_broker().body, IsEmpty());
}

class WaitingTest : public DispatcherTest {
 protected:
  WaitingTest()
      : DispatcherTest(with([](auto& c) {
          c.need_wait_for_service = true;
          c.wait_seconds_for_service = 45;
        })) {}
};

TEST_F(WaitingTest, RoutesWaitForTheirTime) {
  register_broker();
  clock.now_ms += 44'999;
  const auto early = ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}});
  EXPECT_EQ(early.code, 1);
  EXPECT_EQ(early.remark, "name server not ready");
  clock.now_ms += 1;
  EXPECT_EQ(ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}}).code, 0);
}

}  // namespace
}  // namespace gantry::namesrv
