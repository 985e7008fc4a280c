// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/subscription_group_config.h"
#include "protocol/topic_config.h"
#include "tests/unit/protocol/body_test_util.h"

namespace gantry::protocol {
namespace {

using testing::HasSubstr;

TEST(DataVersionBody, RoundTrip) {
  expect_json(DataVersion{.state_version = 2, .timestamp_ms = 1700000000000, .counter = 3},
              R"({"counter":3,"stateVersion":2,"timestamp":1700000000000})");
  // RocketMQ 4 has no stateVersion.
  EXPECT_EQ(parse<DataVersion>(R"({"counter":3,"timestamp":5})"),
            (DataVersion{.state_version = 0, .timestamp_ms = 5, .counter = 3}));
}

TEST(TopicConfigBody, CanonicalForm) {
  TopicConfig config;
  config.topic_name = "T";
  config.read_queue_nums = 4;
  config.write_queue_nums = 4;
  expect_json(config, R"({"attributes":{},"order":false,"perm":6,"readQueueNums":4,)"
                      R"("topicFilterType":"SINGLE_TAG","topicName":"T","topicSysFlag":0,)"
                      R"("writeQueueNums":4})");
}

TEST(TopicConfigBody, AllMembers) {
  TopicConfig config{.topic_name = "%RETRY%g \"x\"",
                     .read_queue_nums = 1,
                     .write_queue_nums = 2,
                     .perm = 7,
                     .topic_filter_type = TopicFilterType::kMultiTag,
                     .topic_sys_flag = 3,
                     .order = true,
                     .attributes = {{"cleanup.policy", "DELETE"}, {"message.type", "FIFO"}}};
  expect_json(config,
              R"({"attributes":{"cleanup.policy":"DELETE","message.type":"FIFO"},"order":true,)"
              R"("perm":7,"readQueueNums":1,"topicFilterType":"MULTI_TAG",)"
              R"("topicName":"%RETRY%g \"x\"","topicSysFlag":3,"writeQueueNums":2})");
  expect_every_cut_fails<TopicConfig>(config.to_json());
}

TEST(TopicConfigBody, DefaultsOrdinalsAndUnknownMembers) {
  const TopicConfig config = parse<TopicConfig>(
      R"({"topicName":"T","topicFilterType":1,"perm":"2","order":"true","new":[{}],)"
      R"("attributes":null})");
  EXPECT_EQ(config.read_queue_nums, 16);
  EXPECT_EQ(config.topic_filter_type, TopicFilterType::kMultiTag);
  EXPECT_EQ(config.perm, 2);
  EXPECT_TRUE(config.order);
}

TEST(TopicConfigBody, ErrorsNameThePath) {
  EXPECT_EQ(parse_error<TopicConfig>(R"({"perm":"six"})"),
            "TopicConfig: perm: expected a whole number of 32 bits");
  EXPECT_EQ(parse_error<TopicConfig>(R"({"perm":2147483648})"),
            "TopicConfig: perm: expected a whole number of 32 bits");
  EXPECT_EQ(parse_error<TopicConfig>(R"({"topicFilterType":"X"})"),
            "TopicConfig: topicFilterType: expected one of SINGLE_TAG MULTI_TAG");
  EXPECT_EQ(parse_error<TopicConfig>("[]"), "TopicConfig: expected an object");
  EXPECT_EQ(parse_error<TopicConfigTable>(R"({"topicConfigTable":{"T":{"order":7}}})"),
            "TopicConfigTable: topicConfigTable.T.order: expected a boolean");
  EXPECT_EQ(parse_error<TopicConfigList>(R"({"topicConfigList":{}})"),
            "TopicConfigList: topicConfigList: expected an array");
}

TEST(TopicConfigTableBody, CanonicalForm) {
  TopicConfigTable table;
  TopicConfig config;
  config.topic_name = "T";
  table.topics.emplace("T", config);
  table.data_version = {.state_version = 0, .timestamp_ms = 9, .counter = 1};
  expect_json(table, R"({"dataVersion":{"counter":1,"stateVersion":0,"timestamp":9},)"
                     R"("mappingDataVersion":{"counter":0,"stateVersion":0,"timestamp":0},)"
                     R"("topicConfigTable":{"T":)" +
                         config.to_json() +
                         R"(},"topicQueueMappingDetailMap":{},"topicQueueMappingInfoMap":{}})");
}

TEST(TopicConfigTableBody, KeepsMappingInfosOfJavaBrokers) {
  const TopicConfigTable table = parse<TopicConfigTable>(
      R"({"topicConfigTable":{},"topicQueueMappingDetailMap":{"S":{"hostedQueues":{0:[]}}},)"
      R"("topicQueueMappingInfoMap":{"S":{"bname":"b","currIdMap":{0:1,"2":3},"dirty":true,)"
      R"("epoch":5,"topic":"S","totalQueues":8}}})");
  ASSERT_EQ(table.mapping_infos.size(), 1U);
  const TopicQueueMappingInfo& info = table.mapping_infos.at("S");
  EXPECT_EQ(info.curr_id_map, (std::map<std::int32_t, std::int32_t>{{0, 1}, {2, 3}}));
  expect_json(info, R"({"bname":"b","currIdMap":{"0":1,"2":3},"dirty":true,"epoch":5,)"
                    R"("scope":"__global__","topic":"S","totalQueues":8})");
}

TEST(SubscriptionGroupConfigBody, CanonicalForm) {
  SubscriptionGroupConfig config;
  config.group_name = "g";
  expect_json(config,
              R"({"attributes":{},"brokerId":0,"consumeBroadcastEnable":true,)"
              R"("consumeEnable":true,"consumeFromMinEnable":true,)"
              R"("consumeMessageOrderly":false,"consumeTimeoutMinute":15,"groupName":"g",)"
              R"("groupRetryPolicy":{"type":"CUSTOMIZED"},"groupSysFlag":0,)"
              R"("notifyConsumerIdsChangedEnable":true,"retryMaxTimes":16,"retryQueueNums":1,)"
              R"("whichBrokerWhenConsumeSlowly":1})");
}

TEST(SubscriptionGroupConfigBody, RetryPoliciesAndStaticSubscriptionsAreKept) {
  const SubscriptionGroupConfig config = parse<SubscriptionGroupConfig>(
      R"({"groupName":"g","groupRetryPolicy":{"type":"EXPONENTIAL","exponentialRetryPolicy":)"
      R"({"initial":10,"max":20,"multiplier":3},"customizedRetryPolicy":{"next":[1,2,3]}},)"
      R"("subscriptionDataSet":[{"topic":"T","expressionType":"TAG","expression":"a||b"}]})");
  EXPECT_EQ(config.group_retry_policy.type, GroupRetryPolicyType::kExponential);
  ASSERT_TRUE(config.group_retry_policy.exponential);
  EXPECT_EQ(config.group_retry_policy.exponential->max_ms, 20);
  ASSERT_TRUE(config.group_retry_policy.customized);
  EXPECT_THAT(config.group_retry_policy.customized->next_ms, testing::ElementsAre(1, 2, 3));
  ASSERT_TRUE(config.subscription_data_set);
  EXPECT_EQ(config.subscription_data_set->at(0).expression, "a||b");
  expect_json(config, config.to_json());
  EXPECT_THAT(config.to_json(), HasSubstr(R"("groupRetryPolicy":{"customizedRetryPolicy":)"
                                          R"({"next":[1,2,3]},"exponentialRetryPolicy":)"
                                          R"({"initial":10,"max":20,"multiplier":3},)"
                                          R"("type":"EXPONENTIAL"})"));
}

TEST(SubscriptionGroupTableBody, CanonicalForm) {
  SubscriptionGroupTable table;
  table.forbidden["g"]["T"] = 2;
  SubscriptionGroupConfig config;
  config.group_name = "g";
  table.groups.emplace("g", config);
  expect_json(table, R"({"dataVersion":{"counter":0,"stateVersion":0,"timestamp":0},)"
                     R"("forbiddenTable":{"g":{"T":2}},"subscriptionGroupTable":{"g":)" +
                         config.to_json() + "}}");
  expect_json(SubscriptionGroupList{{config}}, R"({"groupConfigList":[)" + config.to_json() + "]}");
}

}  // namespace
}  // namespace gantry::protocol
