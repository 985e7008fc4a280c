// SPDX-License-Identifier: Apache-2.0
// Heartbeats and subscriptions, as the Java, Go and C++ clients write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/heartbeat.h"
#include "protocol/lock_batch.h"
#include "protocol/query_assignment.h"
#include "protocol/subscription_data.h"
#include "tests/unit/protocol/body_test_util.h"

namespace gantry::protocol {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kJavaHeartbeat =
    R"({"clientID":"10.0.0.5@12345#98765","consumerDataSet":[{"consumeFromWhere":)"
    R"("CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY","groupName":"cg",)"
    R"("messageModel":"CLUSTERING","subscriptionDataSet":[{"classFilterMode":false,)"
    R"("codeSet":[2598919],"expressionType":"TAG","subString":"TagA",)"
    R"("subVersion":1700000000000,"tagsSet":["TagA"],"topic":"T"}],"unitMode":false}],)"
    R"("heartbeatFingerprint":0,"producerDataSet":[{"groupName":"pg"}],"withoutSub":false})";

TEST(Heartbeat, JavaForm) {
  SubscriptionData subscription;
  subscription.topic = "T";
  subscription.sub_string = "TagA";
  subscription.tags_set = {"TagA"};
  subscription.code_set = {2598919};
  subscription.sub_version = 1700000000000;
  ConsumerData consumer;
  consumer.group_name = "cg";
  consumer.subscriptions = {subscription};
  HeartbeatData heartbeat;
  heartbeat.client_id = "10.0.0.5@12345#98765";
  heartbeat.producer_groups = {"pg"};
  heartbeat.consumers = {consumer};
  expect_json(heartbeat, kJavaHeartbeat);
  expect_every_cut_fails<HeartbeatData>(std::string(kJavaHeartbeat));
}

TEST(Heartbeat, CppFormWithOrdinalsAndTextNumbers) {
  const HeartbeatData heartbeat = parse<HeartbeatData>(
      "{\"clientID\":\"10.0.0.9@77#i\",\"consumerDataSet\":[{\"consumeFromWhere\":4,"
      "\"consumeType\":1,\"groupName\":\"cg\",\"messageModel\":0,\"subscriptionDataSet\":["
      "{\"codeSet\":[\"2598919\"],\"subString\":\"TagA\",\"subVersion\":\"1700000000001\","
      "\"tagsSet\":[\"TagA\"],\"topic\":\"T\"}]}],\"producerDataSet\":[]}\n");
  ASSERT_EQ(heartbeat.consumers.size(), 1U);
  const ConsumerData& consumer = heartbeat.consumers[0];
  EXPECT_EQ(consumer.consume_from_where, ConsumeFromWhere::kFirstOffset);
  EXPECT_EQ(consumer.consume_type, ConsumeType::kPassively);
  EXPECT_EQ(consumer.message_model, MessageModel::kBroadcasting);
  ASSERT_EQ(consumer.subscriptions.size(), 1U);
  EXPECT_EQ(consumer.subscriptions[0].sub_version, 1700000000001);
  EXPECT_EQ(consumer.subscriptions[0].expression_type, "TAG");
  EXPECT_THAT(consumer.subscriptions[0].code_set, ElementsAre(2598919));
  EXPECT_TRUE(heartbeat.producer_groups.empty());
}

TEST(Heartbeat, GoFormWithNanosecondsAndNulls) {
  const HeartbeatData heartbeat = parse<HeartbeatData>(
      R"({"clientID":"10.0.0.7@99","producerDataSet":[{"groupName":"pg"},{"groupName":"pg2"}],)"
      R"("consumerDataSet":[{"groupName":"cg","consumeType":"CONSUME_ACTIVELY","messageModel":)"
      R"("CLUSTERING","consumeFromWhere":"CONSUME_FROM_TIMESTAMP","subscriptionDataSet":[)"
      R"({"classFilterMode":false,"topic":"T","subString":"*","tagsSet":null,"codeSet":null,)"
      R"("subVersion":1700000000123456789,"expressionType":"TAG"}],"unitMode":true}],)"
      R"("heartbeatFingerprint":-5,"withoutSub":true})");
  EXPECT_THAT(heartbeat.producer_groups, ElementsAre("pg", "pg2"));
  EXPECT_EQ(heartbeat.heartbeat_fingerprint, -5);
  EXPECT_TRUE(heartbeat.without_sub);
  ASSERT_EQ(heartbeat.consumers.size(), 1U);
  EXPECT_TRUE(heartbeat.consumers[0].unit_mode);
  ASSERT_EQ(heartbeat.consumers[0].subscriptions.size(), 1U);
  EXPECT_EQ(heartbeat.consumers[0].subscriptions[0].sub_version, 1700000000123456789);
  EXPECT_TRUE(heartbeat.consumers[0].subscriptions[0].subscribes_all());
}

TEST(Heartbeat, Errors) {
  EXPECT_THAT(parse_error<HeartbeatData>(R"({"consumerDataSet":[{"consumeType":3}]})"),
              HasSubstr("consumerDataSet.consumeType: expected one of CONSUME_ACTIVELY"));
  EXPECT_THAT(parse_error<HeartbeatData>(""), HasSubstr("HeartbeatData: JSON: expected a value"));
}

TEST(BuildSubscription, Everything) {
  for (const std::string_view text : {"", "*"}) {
    const Result<SubscriptionData> data = build_subscription("T", text, "");
    ASSERT_TRUE(data);
    EXPECT_EQ(data->sub_string, "*");
    EXPECT_TRUE(data->subscribes_all());
    EXPECT_TRUE(data->tags_set.empty());
    EXPECT_TRUE(data->code_set.empty());
  }
}

TEST(BuildSubscription, Tags) {
  const Result<SubscriptionData> data = build_subscription("T", " TagA || TagB||", "TAG");
  ASSERT_TRUE(data);
  EXPECT_EQ(data->topic, "T");
  EXPECT_EQ(data->sub_string, " TagA || TagB||");
  EXPECT_FALSE(data->subscribes_all());
  EXPECT_THAT(data->tags_set, ElementsAre("TagA", "TagB"));
  EXPECT_THAT(data->code_set, ElementsAre(2598919, 2598920));
}

TEST(BuildSubscription, HashIsOverUtf16) {
  // U+1F600 is the units D83D DE00: 0xD83D * 31 + 0xDE00.
  const Result<SubscriptionData> data = build_subscription("T", "\xF0\x9F\x98\x80", "TAG");
  ASSERT_TRUE(data);
  EXPECT_THAT(data->code_set, ElementsAre(0xD83D * 31 + 0xDE00));
}

TEST(BuildSubscription, OtherExpressionTypesKeepTheText) {
  const Result<SubscriptionData> data = build_subscription("T", "a > 1", "SQL92");
  ASSERT_TRUE(data);
  EXPECT_EQ(data->sub_string, "a > 1");
  EXPECT_EQ(data->expression_type, "SQL92");
  EXPECT_TRUE(data->tags_set.empty());
  EXPECT_FALSE(data->subscribes_all());
}

TEST(BuildSubscription, Errors) {
  for (const auto& [text, type] : {std::pair("||", "TAG"), {" || ", ""}, {"", "SQL92"}}) {
    const Result<SubscriptionData> data = build_subscription("T", text, type);
    ASSERT_FALSE(data) << text;
    EXPECT_EQ(data.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(LockBatch, Bodies) {
  LockBatchRequest request;
  request.client_id = "c";
  request.consumer_group = "g";
  request.mq_set = {{.topic = "T", .broker_name = "b", .queue_id = 1}};
  expect_json(request, R"({"clientId":"c","consumerGroup":"g","mqSet":[{"brokerName":"b",)"
                       R"("queueId":1,"topic":"T"}],"onlyThisBroker":false})");
  expect_json(LockBatchResponse{request.mq_set},
              R"({"lockOKMQSet":[{"brokerName":"b","queueId":1,"topic":"T"}]})");
}

TEST(QueryAssignment, Bodies) {
  QueryAssignmentRequest request{.topic = "T",
                                 .consumer_group = "g",
                                 .client_id = "c",
                                 .strategy_name = "AVG",
                                 .message_model = MessageModel::kClustering};
  expect_json(request, R"({"clientId":"c","consumerGroup":"g","messageModel":"CLUSTERING",)"
                       R"("strategyName":"AVG","topic":"T"})");
  QueryAssignmentResponse response;
  expect_json(response, "{}");
  response.assignments.push_back(
      {.message_queue = {.topic = "T", .broker_name = "b", .queue_id = 2},
       .mode = MessageRequestMode::kPop});
  expect_json(response, R"({"messageQueueAssignments":[{"messageQueue":{"brokerName":"b",)"
                        R"("queueId":2,"topic":"T"},"mode":"POP"}]})");
  SetMessageRequestMode mode{.topic = "T",
                             .consumer_group = "g",
                             .mode = MessageRequestMode::kPop,
                             .pop_share_queue_num = 2};
  const std::string mode_json =
      R"({"consumerGroup":"g","mode":"POP","popShareQueueNum":2,"topic":"T"})";
  expect_json(mode, mode_json);
  MessageRequestModeTable table;
  table.modes["T"]["g"] = mode;
  expect_json(table, R"({"messageRequestModeMap":{"T":{"g":)" + mode_json + "}}}");
}

}  // namespace
}  // namespace gantry::protocol
