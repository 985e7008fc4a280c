// SPDX-License-Identifier: Apache-2.0
// Bodies that mqadmin, the dashboard and the exporter read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <unordered_set>

#include "protocol/broker_stats_data.h"
#include "protocol/client_connection.h"
#include "protocol/consume_stats.h"
#include "protocol/consume_time_span.h"
#include "protocol/consumer_list.h"
#include "protocol/group_bodies.h"
#include "protocol/ha_runtime_info.h"
#include "protocol/query_consume_queue.h"
#include "protocol/reset_offset.h"
#include "protocol/topic_stats_table.h"
#include "tests/unit/protocol/body_test_util.h"

namespace gantry::protocol {
namespace {

using testing::HasSubstr;

const MessageQueue kQueue0{.topic = "T", .broker_name = "b", .queue_id = 0};
const MessageQueue kQueue1{.topic = "T", .broker_name = "b", .queue_id = 1};

TEST(MessageQueueBody, JsonAndHash) {
  expect_json(kQueue1, R"({"brokerName":"b","queueId":1,"topic":"T"})");
  std::unordered_set<MessageQueue> set{kQueue0, kQueue1, kQueue0};
  EXPECT_EQ(set.size(), 2U);
  EXPECT_LT(kQueue0, kQueue1);
}

TEST(TopicStatsTableBody, ObjectKeysWithoutQuotes) {
  TopicStatsTable table;
  table.offset_table[kQueue0] = {.min_offset = 0, .max_offset = 4, .last_update_timestamp_ms = 9};
  table.offset_table[kQueue1] = {};
  table.topic_put_tps = 0.4;
  const std::string json =
      R"({"offsetTable":{{"brokerName":"b","queueId":0,"topic":"T"}:{"lastUpdateTimestamp":9,)"
      R"("maxOffset":4,"minOffset":0},{"brokerName":"b","queueId":1,"topic":"T"}:)"
      R"({"lastUpdateTimestamp":0,"maxOffset":0,"minOffset":0}},"topicPutTps":0.4})";
  expect_json(table, json);
  expect_every_cut_fails<TopicStatsTable>(json);
}

TEST(TopicStatsTableBody, DoublesHaveAPointAndAreFinite) {
  TopicStatsTable table;
  table.topic_put_tps = 3;
  EXPECT_EQ(table.to_json(), R"({"offsetTable":{},"topicPutTps":3.0})");
  table.topic_put_tps = std::numeric_limits<double>::infinity();
  EXPECT_EQ(table.to_json(), R"({"offsetTable":{},"topicPutTps":0.0})");
  EXPECT_EQ(parse<TopicStatsTable>(R"({"topicPutTps":7})").topic_put_tps, 7.0);
}

TEST(ConsumeStatsBody, CanonicalForm) {
  ConsumeStats stats;
  stats.consume_tps = 0.5;
  stats.offset_table[kQueue0] = {
      .broker_offset = 4, .consumer_offset = 2, .pull_offset = 2, .last_timestamp_ms = 9};
  const std::string json =
      R"({"consumeTps":0.5,"offsetTable":{{"brokerName":"b","queueId":0,"topic":"T"}:)"
      R"({"brokerOffset":4,"consumerOffset":2,"lastTimestamp":9,"pullOffset":2}}})";
  expect_json(stats, json);
  ConsumeStatsList list;
  list.consume_stats_list.emplace_back()["g"] = {stats};
  list.broker_addr = "a:1";
  list.total_diff = 2;
  list.total_inflight_diff = 1;
  expect_json(list, R"({"brokerAddr":"a:1","consumeStatsList":[{"g":[)" + json +
                        R"(]}],"totalDiff":2,"totalInflightDiff":1})");
}

TEST(ResetOffset, AllFormsOfTheTable) {
  ResetOffsetBody body;
  body.offset_table[kQueue0] = 100;
  body.offset_table[kQueue1] = -1;
  expect_json(body, R"({"offsetTable":{{"brokerName":"b","queueId":0,"topic":"T"}:100,)"
                    R"({"brokerName":"b","queueId":1,"topic":"T"}:-1}})");
  const std::string list =
      R"({"offsetTable":[{"brokerName":"b","offset":100,"queueId":0,"topic":"T"},)"
      R"({"brokerName":"b","offset":-1,"queueId":1,"topic":"T"}]})";
  EXPECT_EQ(body.to_json_list(), list);
  EXPECT_EQ(parse<ResetOffsetBody>(list), body);
  // Keys as quoted JSON text (fastjson 1) and pairs (Go).
  EXPECT_EQ(parse<ResetOffsetBody>(
                R"({"offsetTable":{"{\"brokerName\":\"b\",\"queueId\":0,\"topic\":\"T\"}":100,)"
                R"({"topic":"T","brokerName":"b","queueId":1}:"-1"}})"),
            body);
  EXPECT_EQ(
      parse<ResetOffsetBody>(R"({"offsetTable":[[{"brokerName":"b","queueId":0,"topic":"T"},100],)"
                             R"([{"brokerName":"b","queueId":1,"topic":"T"},-1]]})"),
      body);
  EXPECT_TRUE(parse<ResetOffsetBody>(R"({"offsetTable":[]})").offset_table.empty());
  EXPECT_THAT(parse_error<ResetOffsetBody>(R"({"offsetTable":{"x":1}})"),
              HasSubstr("offsetTable.x: MessageQueue: JSON: expected a value"));
  EXPECT_THAT(parse_error<ResetOffsetBody>(R"({"offsetTable":[[1]]})"),
              HasSubstr("expected a pair"));
}

TEST(GetConsumerStatus, BothTables) {
  GetConsumerStatusBody body;
  body.consumer_table["c1"][kQueue0] = 5;
  body.message_queue_table[kQueue1] = 6;
  expect_json(body, R"({"consumerTable":{"c1":{{"brokerName":"b","queueId":0,"topic":"T"}:5}},)"
                    R"("messageQueueTable":{{"brokerName":"b","queueId":1,"topic":"T"}:6}})");
}

TEST(Connections, ConsumerProducerAndTable) {
  ConsumerConnection consumer;
  consumer.connection_set = {
      {.client_id = "c", .client_addr = "10.0.0.1:5", .language = Language::kGo, .version = 317}};
  SubscriptionData subscription;
  subscription.topic = "T";
  subscription.sub_string = "*";
  consumer.subscription_table["T"] = subscription;
  expect_json(consumer,
              R"({"connectionSet":[{"clientAddr":"10.0.0.1:5","clientId":"c",)"
              R"("language":"GO","version":317}],"consumeFromWhere":)"
              R"("CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY",)"
              R"("messageModel":"CLUSTERING","subscriptionTable":{"T":{"classFilterMode":)"
              R"(false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":0,)"
              R"("tagsSet":[],"topic":"T"}}})");
  expect_json(ProducerConnection{consumer.connection_set},
              R"({"connectionSet":[{"clientAddr":"10.0.0.1:5","clientId":"c",)"
              R"("language":"GO","version":317}]})");
  ProducerTableInfo table;
  table.data["pg"] = {{.client_id = "c",
                       .remote_ip = "/10.0.0.1:5",
                       .language = Language::kJava,
                       .version = 479,
                       .last_update_timestamp_ms = 9}};
  expect_json(table, R"({"data":{"pg":[{"clientId":"c","language":"JAVA","lastUpdateTimestamp":9,)"
                     R"("remoteIP":"/10.0.0.1:5","version":479}]}})");
}

TEST(ConsumerListBody, CanonicalForm) {
  expect_json(ConsumerList{{"id1", "id2"}}, R"({"consumerIdList":["id1","id2"]})");
}

TEST(QueryConsumeTimeSpanBody, CanonicalForm) {
  QueryConsumeTimeSpan body;
  body.consume_time_span_set = {{.message_queue = kQueue0,
                                 .min_timestamp_ms = 1,
                                 .max_timestamp_ms = 4,
                                 .consume_timestamp_ms = -1,
                                 .delay_time_ms = 3}};
  expect_json(body, R"({"consumeTimeSpanSet":[{"consumeTimeStamp":-1,"delayTime":3,)"
                    R"("maxTimeStamp":4,"messageQueue":{"brokerName":"b","queueId":0,"topic":"T"},)"
                    R"("minTimeStamp":1}]})");
}

TEST(QueryConsumeQueueBody, CanonicalForm) {
  QueryConsumeQueueResponse body;
  expect_json(body, R"({"maxQueueIndex":0,"minQueueIndex":0,"queueData":[]})");
  body.filter_data = "f";
  body.max_queue_index = 7;
  body.queue_data = {{.physic_offset = 162,
                      .physic_size = 100,
                      .tags_code = -3,
                      .eval = true,
                      .extend_data_json = "{}",
                      .bit_map = std::nullopt,
                      .msg = "m"}};
  body.subscription_data = SubscriptionData{};
  expect_json(body, R"({"filterData":"f","maxQueueIndex":7,"minQueueIndex":0,"queueData":[)"
                    R"({"eval":true,"extendDataJson":"{}","msg":"m","physicOffset":162,)"
                    R"("physicSize":100,"tagsCode":-3}],"subscriptionData":)" +
                        body.subscription_data->to_json() + "}");
}

TEST(BrokerStatsDataBody, CanonicalForm) {
  BrokerStatsData body;
  body.stats_minute = {.sum = 4, .tps = 0.4, .avgpt = 1.33};
  expect_json(body, R"({"statsDay":{"avgpt":0.0,"sum":0,"tps":0.0},"statsHour":{"avgpt":0.0,)"
                    R"("sum":0,"tps":0.0},"statsMinute":{"avgpt":1.33,"sum":4,"tps":0.4}})");
}

TEST(HARuntimeInfoBody, CanonicalForm) {
  HARuntimeInfo info;
  info.master = true;
  info.master_commit_log_max_offset = 1378;
  info.connections = {{.addr = "10.0.0.2:1",
                       .slave_ack_offset = 0,
                       .diff = 0,
                       .in_sync = true,
                       .transferred_bytes_per_second = 0,
                       .transfer_from_where = 0}};
  expect_json(info, R"({"haClientRuntimeInfo":{"lastReadTimestamp":0,"lastWriteTimestamp":0,)"
                    R"("masterFlushOffset":0,"maxOffset":0,"transferredByteInSecond":0},)"
                    R"("haConnectionInfo":[{"addr":"10.0.0.2:1","diff":0,"inSync":true,)"
                    R"("slaveAckOffset":0,"transferFromWhere":0,"transferredByteInSecond":0}],)"
                    R"("inSyncSlaveNums":0,"master":true,"masterCommitLogMaxOffset":1378})");
}

TEST(GroupBodies, CanonicalForms) {
  expect_json(QuerySubscriptionResponse{.group = "g", .topic = "T", .subscription_data = {}},
              R"({"group":"g","topic":"T"})");
  expect_json(GroupForbidden{.group = "g", .topic = "T", .readable = false},
              R"({"group":"g","readable":false,"topic":"T"})");
  expect_json(QueryCorrectionOffsetBody{{{0, 5}, {10, 6}, {2, 7}}},
              R"({"correctionOffsets":{"0":5,"2":7,"10":6}})");
}

}  // namespace
}  // namespace gantry::protocol
