// SPDX-License-Identifier: Apache-2.0
// What asks for store times (codes 29, 32, 222, 202, 208, 317) answers right, and without reading
// the disk on the broker's shard, when the log is not in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/consume_stats.h"
#include "protocol/record.h"
#include "protocol/reset_offset.h"
#include "protocol/topic_stats_table.h"
#include "tests/unit/broker/broker_rig.h"

namespace gantry::broker::test {
namespace {

using protocol::RequestCode;

// Messages a minute apart, over several files of the log.
class SearchByTime : public ::testing::Test {
 protected:
  static constexpr int kMessages = 40;

  SearchByTime() {
    rig.start();
    rig.create_topic("T");
    for (int i = 0; i < kMessages; ++i) {
      sent.push_back(rig.send("T", std::string(1000, 'x')));
      rig.clock.move(std::chrono::minutes(1));
    }
    for (const Sent& s : sent) {
      const auto answer =
          rig.call(RequestCode::kViewMessageById, {{"offset", std::to_string(s.position.v)}});
      times.push_back(protocol::decode_record(answer.body)->store_timestamp_ms);
    }
    rig.restart_cold();
  }
  ~SearchByTime() override {
    EXPECT_GT(rig.files.cold_reads, 0);
    EXPECT_EQ(rig.files.blocking_reads, 0);
  }

  std::int64_t search(std::int64_t time_ms, const std::string& boundary = "lower") {
    const auto answer =
        rig.call(RequestCode::kSearchOffsetByTimestamp, {{"topic", "T"},
                                                         {"queueId", "0"},
                                                         {"timestamp", std::to_string(time_ms)},
                                                         {"boundaryType", boundary}});
    EXPECT_EQ(answer.code, 0);
    return std::stoll(std::string(answer.find("offset").value_or("-1")));
  }

  BrokerRig rig;
  std::vector<Sent> sent;
  std::vector<std::int64_t> times;
};

TEST_F(SearchByTime, FindsEveryMessage) {
  for (int i = 0; i < kMessages; i += 7) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_EQ(search(times[at]), i);
    EXPECT_EQ(search(times[at] - 1), i);
    EXPECT_EQ(search(times[at] + 1), i + 1);
    EXPECT_EQ(search(times[at], "upper"), i);
    EXPECT_EQ(search(times[at] + 1, "upper"), i);
  }
  EXPECT_EQ(search(0), 0);
  EXPECT_EQ(search(times.back() + 1), kMessages);
}

TEST_F(SearchByTime, TheEarliestStoreTime) {
  const auto answer =
      rig.call(RequestCode::kGetEarliestMsgStoreTime, {{"topic", "T"}, {"queueId", "0"}});
  EXPECT_EQ(answer.find("timestamp").value_or(""), std::to_string(times.front()));
}

TEST_F(SearchByTime, ResettingAGroupSearches) {
  const auto answer =
      rig.call(RequestCode::kInvokeBrokerToResetOffset, {{"topic", "T"},
                                                         {"group", "G"},
                                                         {"timestamp", std::to_string(times[17])},
                                                         {"isForce", "true"}});
  ASSERT_EQ(answer.code, 0) << answer.remark.value_or("");
  EXPECT_EQ(answer.body,
            R"({"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:17}})");
  const auto offset = rig.call(RequestCode::kQueryConsumerOffset,
                               {{"consumerGroup", "G"}, {"topic", "T"}, {"queueId", "0"}});
  EXPECT_EQ(offset.find("offset").value_or(""), "17");
}

TEST_F(SearchByTime, ResettingRefusesWhatDoesNotExist) {
  const auto answer = rig.call(RequestCode::kInvokeBrokerToResetOffset,
                               {{"topic", "None"}, {"group", "G"}, {"timestamp", "1"}});
  EXPECT_EQ(answer.code, protocol::to_int(protocol::ResponseCode::kTopicNotExist));
  const auto outside = rig.call(
      RequestCode::kInvokeBrokerToResetOffset,
      {{"topic", "T"}, {"group", "G"}, {"queueId", "0"}, {"timestamp", "-1"}, {"offset", "41"}});
  EXPECT_EQ(outside.code, protocol::to_int(protocol::ResponseCode::kSystemError));
  EXPECT_EQ(outside.remark.value_or(""), "Target offset 41 not in consume queue range [0-40]");
  EXPECT_EQ(search(times[0]), 0);  // reads, so that the fixture sees cold reads
}

TEST_F(SearchByTime, StatisticsOfTopicAndGroup) {
  const auto topic = rig.call(RequestCode::kGetTopicStatsInfo, {{"topic", "T"}});
  const auto table = protocol::TopicStatsTable::from_json(topic.body);
  ASSERT_TRUE(table) << topic.body;
  EXPECT_EQ(table->offset_table.begin()->second.last_update_timestamp_ms, times.back());

  rig.call(
      RequestCode::kInvokeBrokerToResetOffset,
      {{"topic", "T"}, {"group", "G"}, {"queueId", "0"}, {"timestamp", "-1"}, {"offset", "5"}});
  const auto group = rig.call(RequestCode::kGetConsumeStats, {{"consumerGroup", "G"}});
  const auto stats = protocol::ConsumeStats::from_json(group.body);
  ASSERT_TRUE(stats) << group.body;
  EXPECT_EQ(stats->offset_table.begin()->second.last_timestamp_ms, times[4]);
}

TEST_F(SearchByTime, AMessageGivenBack) {
  const auto answer =
      rig.call(RequestCode::kConsumerSendMsgBack, {{"offset", std::to_string(sent[2].position.v)},
                                                   {"group", "G"},
                                                   {"delayLevel", "1"},
                                                   {"originTopic", "T"}});
  EXPECT_EQ(answer.code, 0) << answer.remark.value_or("");
  const auto topics = rig.call(RequestCode::kGetTopicConfig, {{"topic", "%RETRY%G"}});
  EXPECT_EQ(topics.code, 0);
  const auto absent = rig.call(RequestCode::kConsumerSendMsgBack,
                               {{"offset", "1"}, {"group", "G"}, {"delayLevel", "1"}});
  EXPECT_EQ(absent.remark.value_or(""), "look message by offset failed, 1");
}

TEST_F(SearchByTime, MetricsAndRuntimeFigures) {
  const std::string metrics = rig.http_get("/metrics");
  EXPECT_THAT(metrics, ::testing::HasSubstr("rocketmq_storage_message_reserve_time_milliseconds"));
  const auto info = rig.call(RequestCode::kGetBrokerRuntimeInfo);
  EXPECT_THAT(info.body, ::testing::HasSubstr("earliestMessageTimeStamp"));
}

}  // namespace
}  // namespace gantry::broker::test
