// SPDX-License-Identifier: Apache-2.0
// What holds for every request: who handles it, what is never answered, what is counted; and what
// tools ask.
#include "namesrv/request_dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "dispatcher_fixture.h"

namespace gantry::namesrv {
namespace {

using protocol::Command;
using protocol::RequestCode;
using protocol::to_int;
using test::DispatcherTest;
using test::Ext;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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
