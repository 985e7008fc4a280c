// SPDX-License-Identifier: Apache-2.0
// Whole requests as frames in, whole answers as frames out; only socket and disk are missing.
#include "namesrv/request_dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "fakes.h"
#include "namesrv/kvconfig/kv_config.h"
#include "namesrv/min_broker_id_notifier.h"
#include "namesrv/route/route_table.h"
#include "namesrv/settings/settings.h"
#include "registration.h"

namespace gantry::namesrv {
namespace {

using protocol::Command;
using protocol::RequestCode;
using protocol::to_int;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using Ext = std::vector<std::pair<std::string, std::string>>;

config::NamesrvConfig some_config() {
  config::NamesrvConfig config;
  config.kv_config_path = "/data/kvConfig.json";
  config.config_store_path = "/data/namesrv.properties";
  return config;
}

class DispatcherTest : public ::testing::Test {
 protected:
  explicit DispatcherTest(config::NamesrvConfig config = some_config())
      : settings(std::move(config), writer) {
    services.started_ms = services.now_ms();
  }

  // A request as the Java client writes it.
  static Command request(RequestCode code, Ext ext = {}, std::string body = {}) {
    Command command = Command::request(to_int(code));
    command.opaque = 77;
    command.ext = std::move(ext);
    command.body = std::move(body);
    return command;
  }
  void send(const Command& command) {
    std::string frame;
    protocol::encode(command, frame);
    deliver(frame.substr(4));
  }
  // A frame with this JSON header, exactly as given.
  void send_header(std::string_view header, std::string_view body = {}) {
    std::string frame(4, '\0');
    store_be(frame.data(), static_cast<std::uint32_t>(header.size()));
    deliver(frame + std::string(header) + std::string(body));
  }
  void deliver(std::string frame) {
    protocol::CommandView view;
    const auto decoded = protocol::decode(std::span<char>(frame), view);
    ASSERT_TRUE(decoded) << decoded.error().message;
    dispatcher.on_request(connection, view);
  }
  // Sends and takes the answer; checks what every answer must have.
  Command ask(const Command& command) {
    send(command);
    const auto answer = connection.take();
    if (!answer) {
      ADD_FAILURE() << "no answer to " << command.code;
      return Command::response(-1);
    }
    EXPECT_TRUE(answer->is_response());
    EXPECT_EQ(answer->opaque, command.opaque);
    EXPECT_FALSE(connection.take()) << "two answers to " << command.code;
    return *answer;
  }
  Command ask(RequestCode code, Ext ext = {}, std::string body = {}) {
    return ask(request(code, std::move(ext), std::move(body)));
  }
  Command register_broker(const test::BrokerSpec& spec = {}, bool compressed = false) {
    auto command = protocol::make_register_broker_request(test::header_of(spec),
                                                          test::body_of(spec), compressed);
    if (!command) {
      ADD_FAILURE() << command.error().message;
      return Command::response(-1);
    }
    return ask(*command);
  }

  test::FakeClock clock;
  test::ManualFileWriter writer;
  RouteTable routes{RouteTableOptions{}};
  KvConfig kv{{}, "/data/kvConfig.json", writer};
  Settings settings;
  std::vector<MinBrokerIdChange> told;
  Services services{routes,   kv,
                    settings, clock,
                    0,        [this](const MinBrokerIdChange& change) { told.push_back(change); }};
  metrics::Registry registry;
  test::FakeConnection connection;
  RequestDispatcher dispatcher{services, registry, [this](net::ConnectionId id) {
                                 return id == connection.id() ? &connection : nullptr;
                               }};
};

// --- dispatching ---

TEST_F(DispatcherTest, HandlesEveryNameServerCodeOnceAndNothingElse) {
  std::set<std::int32_t> handled;
  for (const auto& entry : all_handlers()) {
    EXPECT_TRUE(handled.insert(to_int(entry.code)).second) << to_int(entry.code);
  }
  std::set<std::int32_t> wanted;
  for (const auto& info : protocol::kRequestCodes) {
    if (info.side == protocol::HandlerSide::kNameServer) wanted.insert(to_int(info.code));
  }
  wanted.insert(to_int(RequestCode::kGetBrokerMemberGroup));
  EXPECT_EQ(handled, wanted);
}

TEST_F(DispatcherTest, UnknownCodesAreAnsweredWith3) {
  for (const std::int32_t code : {9999, 0, -5, 50, 5001, 200050}) {
    Command command = Command::request(code);
    command.opaque = 5;
    const auto answer = ask(command);
    EXPECT_EQ(answer.code, 3);
    EXPECT_EQ(answer.remark, " request type " + std::to_string(code) + " not supported");
  }
  EXPECT_TRUE(connection.open());
}

TEST_F(DispatcherTest, OnewayRequestsAreNeverAnswered) {
  for (const auto& entry : all_handlers()) {
    Command command = request(entry.code);
    command.flag = protocol::kFlagOneway;
    send(command);
    while (!writer.pending.empty()) writer.finish();
    EXPECT_THAT(connection.output(), IsEmpty()) << to_int(entry.code);
  }
  Command unknown = Command::request(9999);
  unknown.flag = protocol::kFlagOneway;
  send(unknown);
  EXPECT_THAT(connection.output(), IsEmpty());
  Command put =
      request(RequestCode::kPutKvConfig, {{"namespace", "n"}, {"key", "k"}, {"value", "v"}});
  put.flag = protocol::kFlagOneway;
  send(put);
  writer.finish();
  EXPECT_THAT(connection.output(), IsEmpty());
  EXPECT_NE(kv.get("n", "k"), nullptr) << "but they are carried out";
}

TEST_F(DispatcherTest, MissingMandatoryFieldsAreNamed) {
  const std::map<RequestCode, std::vector<std::string>> mandatory = {
      {RequestCode::kPutKvConfig, {"namespace", "key", "value"}},
      {RequestCode::kGetKvConfig, {"namespace", "key"}},
      {RequestCode::kDeleteKvConfig, {"namespace", "key"}},
      {RequestCode::kGetKvListByNamespace, {"namespace"}},
      {RequestCode::kRegisterBroker,
       {"brokerName", "brokerAddr", "clusterName", "haServerAddr", "brokerId"}},
      {RequestCode::kUnregisterBroker, {"brokerName", "brokerAddr", "clusterName", "brokerId"}},
      {RequestCode::kGetRouteInfoByTopic, {"topic"}},
      {RequestCode::kWipeWritePermOfBroker, {"brokerName"}},
      {RequestCode::kAddWritePermOfBroker, {"brokerName"}},
      {RequestCode::kDeleteTopicInNamesrv, {"topic"}},
      {RequestCode::kRegisterTopicInNamesrv, {"topic"}},
      {RequestCode::kGetTopicsByCluster, {"cluster"}},
      {RequestCode::kQueryDataVersion, {"brokerAddr", "clusterName", "brokerName", "brokerId"}},
      {RequestCode::kGetBrokerMemberGroup, {"clusterName", "brokerName"}},
      {RequestCode::kBrokerHeartbeat, {"brokerAddr", "clusterName", "brokerName"}},
  };
  for (const auto& [code, fields] : mandatory) {
    for (const auto& missing : fields) {
      Ext ext;
      for (const auto& field : fields) {
        if (field != missing) ext.emplace_back(field, field == "brokerId" ? "0" : "1.1.1.1:1");
      }
      const auto answer = ask(code, ext, "{}");
      EXPECT_EQ(answer.code, 1) << to_int(code) << " without " << missing;
      EXPECT_THAT(answer.remark.value_or(""), HasSubstr(missing)) << to_int(code);
    }
    // No extFields member at all.
    send_header(R"({"code":)" + std::to_string(to_int(code)) + R"(,"opaque":1})");
    const auto answer = connection.take();
    ASSERT_TRUE(answer) << to_int(code);
    EXPECT_EQ(answer->code, 1) << to_int(code);
  }
  EXPECT_THAT(writer.pending, IsEmpty());
}

TEST_F(DispatcherTest, CountsRequestsByNameAndAnswer) {
  ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}});
  register_broker();
  ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}});
  ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}});
  for (const std::int32_t code : {7777, 7778}) ask(Command::request(code));
  const std::string text = registry.scrape();
  EXPECT_THAT(text, HasSubstr(R"(gantry_namesrv_requests_total{)"));
  EXPECT_THAT(text, HasSubstr(R"(answer="17",request="GET_ROUTEINFO_BY_TOPIC"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(answer="0",request="GET_ROUTEINFO_BY_TOPIC"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(answer="3",request="unknown"} 2)"));
  EXPECT_THAT(text, HasSubstr("gantry_namesrv_topics 2"));
  EXPECT_THAT(text, HasSubstr("gantry_namesrv_brokers 1"));
}

// --- registration and routes ---

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
  auto config = some_config();
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

// --- KV, configuration, tools ---

TEST_F(DispatcherTest, KvIsAnsweredWhenStored) {
  send(request(RequestCode::kPutKvConfig, {{"namespace", "n"}, {"key", "k"}, {"value", "v"}}));
  EXPECT_THAT(connection.output(), IsEmpty());
  writer.finish();
  const auto stored = connection.take();
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->code, 0);
  EXPECT_EQ(stored->opaque, 77);
  EXPECT_EQ(ask(RequestCode::kGetKvConfig, {{"namespace", "n"}, {"key", "k"}}).find("value"), "v");
  EXPECT_EQ(ask(RequestCode::kGetKvListByNamespace, {{"namespace", "n"}}).body,
            R"({"table":{"k":"v"}})");
  const auto absent = ask(RequestCode::kGetKvConfig, {{"namespace", "n"}, {"key", "x"}});
  EXPECT_EQ(absent.code, 22);
  EXPECT_EQ(absent.remark, "No config item, Namespace: n Key: x");
  EXPECT_EQ(ask(RequestCode::kGetKvListByNamespace, {{"namespace", "x"}}).code, 22);

  send(request(RequestCode::kDeleteKvConfig, {{"namespace", "n"}, {"key", "k"}}));
  writer.finish();
  EXPECT_EQ(connection.take()->code, 0);
  EXPECT_EQ(ask(RequestCode::kGetKvConfig, {{"namespace", "n"}, {"key", "k"}}).code, 22);
}

TEST_F(DispatcherTest, KvThatCannotBeStoredIsAnError) {
  send(request(RequestCode::kPutKvConfig, {{"namespace", "n"}, {"key", "k"}, {"value", "v"}}));
  writer.finish(make_error(ErrorCode::kDiskFull, "no space left: /data/kvConfig.json"));
  const auto answer = connection.take();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, 1);
  EXPECT_EQ(answer->remark, "no space left: /data/kvConfig.json");
  EXPECT_EQ(kv.get("n", "k"), nullptr);
}

TEST_F(DispatcherTest, AnswerForAClosedConnectionIsDropped) {
  send(request(RequestCode::kPutKvConfig, {{"namespace", "n"}, {"key", "k"}, {"value", "v"}}));
  test::FakeConnection other(2);
  protocol::CommandView view;
  std::string frame;
  protocol::encode(request(RequestCode::kDeleteKvConfig, {{"namespace", "n"}, {"key", "k"}}),
                   frame);
  frame.erase(0, 4);
  ASSERT_TRUE(protocol::decode(std::span<char>(frame), view));
  dispatcher.on_request(other, view);
  writer.finish();
  writer.finish();
  EXPECT_THAT(other.output(), IsEmpty()) << "no longer found by its id";
}

TEST_F(DispatcherTest, ConfigIsShownAndChanged) {
  EXPECT_THAT(ask(RequestCode::kGetNamesrvConfig).body, HasSubstr("orderMessageEnable=false\n"));
  send(request(RequestCode::kUpdateNamesrvConfig, {}, "orderMessageEnable=true\n"));
  EXPECT_THAT(connection.output(), IsEmpty());
  EXPECT_THAT(writer.finish(), HasSubstr("orderMessageEnable=true\n"));
  EXPECT_EQ(connection.take()->code, 0);
  EXPECT_THAT(ask(RequestCode::kGetNamesrvConfig).body, HasSubstr("orderMessageEnable=true\n"));
}

TEST_F(DispatcherTest, BadConfigChangesAreAnsweredAtOnce) {
  const auto refused =
      ask(RequestCode::kUpdateNamesrvConfig, {}, "orderMessageEnable=true\nkvConfigPath=/x\n");
  EXPECT_EQ(refused.code, 16);
  EXPECT_EQ(refused.remark, "Can not update config in black list.");
  const auto bad = ask(RequestCode::kUpdateNamesrvConfig, {}, "orderMessageEnable=perhaps\n");
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.remark.value_or(""), HasSubstr("orderMessageEnable"));
  EXPECT_EQ(ask(RequestCode::kUpdateNamesrvConfig, {}, "").code, 0);
  EXPECT_THAT(writer.pending, IsEmpty());
  EXPECT_FALSE(settings.config().order_message_enable);
}

TEST_F(DispatcherTest, ToolsSeeClustersAndTopics) {
  register_broker();
  EXPECT_EQ(ask(RequestCode::kGetBrokerClusterInfo).body,
            R"({"brokerAddrTable":{"broker-a":{"brokerAddrs":{"0":"10.0.0.1:10911"},)"
            R"("brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}},)"
            R"("clusterAddrTable":{"DefaultCluster":["broker-a"]}})");
  EXPECT_EQ(ask(RequestCode::kGetAllTopicListFromNameServer).body,
            R"({"topicList":["T","TBW102"]})");
  EXPECT_EQ(ask(RequestCode::kGetTopicsByCluster, {{"cluster", "DefaultCluster"}}).body,
            R"({"topicList":["T","TBW102"]})");
  EXPECT_EQ(ask(RequestCode::kGetSystemTopicListFromNs).body,
            R"({"brokerAddr":"10.0.0.1:10911","topicList":["DefaultCluster","broker-a"]})");
  EXPECT_EQ(ask(RequestCode::kGetUnitTopicList).body, R"({"topicList":[]})");
  EXPECT_EQ(ask(RequestCode::kGetHasUnitSubTopicList).code, 0);
  EXPECT_EQ(ask(RequestCode::kGetHasUnitSubUnunitTopicList).code, 0);
}

TEST_F(DispatcherTest, ToolsChangePermissionsAndDeleteTopics) {
  register_broker();
  EXPECT_EQ(
      ask(RequestCode::kWipeWritePermOfBroker, {{"brokerName", "broker-a"}}).find("wipeTopicCount"),
      "2");
  EXPECT_EQ(routes.route("T")->queue_datas[0].perm, 4);
  EXPECT_EQ(
      ask(RequestCode::kAddWritePermOfBroker, {{"brokerName", "broker-a"}}).find("addTopicCount"),
      "2");
  EXPECT_EQ(routes.route("T")->queue_datas[0].perm, 6);
  EXPECT_EQ(
      ask(RequestCode::kDeleteTopicInNamesrv, {{"topic", "T"}, {"clusterName", "Other"}}).code, 0);
  EXPECT_TRUE(routes.route("T"));
  EXPECT_EQ(ask(RequestCode::kDeleteTopicInNamesrv, {{"topic", "T"}}).code, 0);
  EXPECT_FALSE(routes.route("T"));
  EXPECT_EQ(ask(RequestCode::kDeleteTopicInNamesrv, {{"topic", "T"}}).code, 0);
}

}  // namespace
}  // namespace gantry::namesrv
