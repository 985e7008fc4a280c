// SPDX-License-Identifier: Apache-2.0
// What /metrics of a broker says: RocketMQ's names, types and labels, the families that
// docs/operations/metrics.md lists, and lag from committed offsets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <sstream>

#include "protocol/heartbeat.h"
#include "protocol/properties.h"
#include "tests/support/metrics_page.h"
#include "tests/unit/broker/broker_rig.h"

namespace gantry::broker::test {
namespace {

using namespace gantry::testing;
using protocol::RequestCode;

Families rocketmq_families() {
  Families expected;
  std::ifstream file(GANTRY_BROKER_FIXTURES "/rocketmq_metrics.tsv");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream columns(line);
    std::string name, type, labels, label;
    columns >> name >> type >> labels;
    Family& family = expected[name];
    family.type = type;
    std::istringstream list(labels);
    while (std::getline(list, label, ',')) family.labels.insert(label);
  }
  return expected;
}

class MetricsTest : public ::testing::Test {
 protected:
  MetricsTest() {
    rig.start();
    rig.create_topic("T", 2);
  }

  void heartbeat() {
    protocol::HeartbeatData data;
    data.client_id = "client";
    data.producer_groups = {"P"};
    protocol::ConsumerData consumer;
    consumer.group_name = "G";
    protocol::SubscriptionData subscription;
    subscription.topic = "T";
    subscription.sub_string = "*";
    consumer.subscriptions = {subscription};
    data.consumers = {consumer};
    ASSERT_EQ(rig.call(RequestCode::kHeartBeat, {}, data.to_json()).code, 0);
  }
  protocol::Command pull(int queue, std::int64_t offset, std::int32_t count) {
    return rig.call(RequestCode::kPullMessage, {{"consumerGroup", "G"},
                                                {"topic", "T"},
                                                {"queueId", std::to_string(queue)},
                                                {"queueOffset", std::to_string(offset)},
                                                {"maxMsgNums", std::to_string(count)},
                                                {"sysFlag", "4"},
                                                {"commitOffset", "0"},
                                                {"suspendTimeoutMillis", "0"},
                                                {"subscription", "*"},
                                                {"subVersion", "0"},
                                                {"expressionType", "TAG"}});
  }
  void commit(int queue, std::int64_t offset) {
    ASSERT_EQ(
        rig.call(RequestCode::kUpdateConsumerOffset, {{"consumerGroup", "G"},
                                                      {"topic", "T"},
                                                      {"queueId", std::to_string(queue)},
                                                      {"commitOffset", std::to_string(offset)}})
            .code,
        0);
  }
  std::optional<double> value(const std::string& name,
                              const std::map<std::string, std::string>& labels) const {
    for (const std::string& line : lines_of(rig.http_get("/metrics"))) {
      if (!line.starts_with(name + "{")) continue;
      const Sample sample = parse_sample(line);
      const bool matches = std::ranges::all_of(labels, [&](const auto& wanted) {
        const auto found = sample.labels.find(wanted.first);
        return found != sample.labels.end() && found->second == wanted.second;
      });
      if (matches) return sample.value;
    }
    return std::nullopt;
  }
  std::optional<double> lag(const std::string& what) const {
    return value("rocketmq_consumer_" + what, {{"topic", "T"}, {"consumer_group", "G"}});
  }
  // Something of everything that has a metric.
  void use_everything() {
    heartbeat();
    const Sent sent = rig.send("T", "body");
    ASSERT_EQ(pull(0, 0, 1).code, 0);
    commit(0, 0);
    ASSERT_EQ(
        rig.call(RequestCode::kConsumerSendMsgBack, {{"offset", std::to_string(sent.position.v)},
                                                     {"group", "G"},
                                                     {"delayLevel", "-1"},
                                                     {"originTopic", "T"}})
            .code,
        0);
    end_transaction(send_half(), "8");
    send_half();
  }

  Sent send_half() {
    std::string properties;
    protocol::append_property(properties, "TRAN_MSG", "true");
    protocol::append_property(properties, "PGROUP", "P");
    return rig.send("T", "half", properties);
  }

  // 8 commit, 12 rollback.
  void end_transaction(const Sent& half, const std::string& outcome) {
    ASSERT_EQ(rig.call(RequestCode::kEndTransaction,
                       {{"producerGroup", "P"},
                        {"tranStateTableOffset", std::to_string(half.offset.v)},
                        {"commitLogOffset", std::to_string(half.position.v)},
                        {"commitOrRollback", outcome},
                        {"msgId", "id"}})
                  .code,
              0);
  }

  BrokerRig rig;
};

TEST_F(MetricsTest, NamesTypesAndLabelsAreRocketmqs) {
  use_everything();
  const Families expected = rocketmq_families();
  ASSERT_GT(expected.size(), 30U);
  int compared = 0;
  for (const auto& [name, family] : families(rig.http_get("/metrics"))) {
    if (!name.starts_with("rocketmq_")) continue;
    const auto theirs = expected.find(name);
    ASSERT_NE(theirs, expected.end()) << name << " is not a family of RocketMQ";
    EXPECT_EQ(family.type, theirs->second.type) << name;
    EXPECT_EQ(family.labels, theirs->second.labels) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 26);
}

TEST_F(MetricsTest, ThePageListsWhatIsExposed) {
  use_everything();
  std::map<std::string, std::string> exposed;
  for (const auto& [name, family] : families(rig.http_get("/metrics"))) exposed[name] = family.type;
  auto expected = documented(GANTRY_SOURCE_DIR "/docs/operations/metrics.md", "Broker");
  // Of other members: tests/integration asks a set of three.
  EXPECT_EQ(expected.erase("gantry_raft_match_position"), 1U);
  EXPECT_EQ(expected.erase("gantry_raft_lag_bytes"), 1U);
  EXPECT_EQ(exposed, expected);
}

TEST_F(MetricsTest, LagComesFromCommittedOffsetsWithoutAConsumer) {
  for (int i = 0; i < 5; ++i) rig.send("T", "a", {}, 0);
  for (int i = 0; i < 3; ++i) rig.send("T", "b", {}, 1);
  EXPECT_EQ(lag("lag_messages"), std::nullopt);  // nobody knows the group yet
  ASSERT_EQ(pull(0, 0, 4).code, 0);              // creates it
  commit(0, 2);
  commit(1, 3);
  EXPECT_EQ(lag("lag_messages"), 3);
  EXPECT_EQ(lag("inflight_messages"), 2);  // pulled up to 4, committed up to 2
  EXPECT_EQ(lag("ready_messages"), 1);

  rig.restart();  // no client, nothing pulled: only what was committed is known
  EXPECT_EQ(lag("lag_messages"), 3);
  EXPECT_EQ(lag("inflight_messages"), 0);
  EXPECT_EQ(lag("ready_messages"), 3);

  commit(0, 5);
  EXPECT_EQ(lag("lag_messages"), 0);
  EXPECT_EQ(lag("lag_latency_milliseconds"), 0);
}

TEST_F(MetricsTest, LagLatencyIsTheAgeOfTheOldestMessageLeft) {
  rig.send("T", "a");
  rig.clock.move(std::chrono::minutes(10));
  rig.send("T", "b");
  ASSERT_EQ(pull(0, 0, 1).code, 0);
  commit(0, 0);
  EXPECT_GE(*lag("lag_latency_milliseconds"), 600'000);
  commit(0, 1);
  EXPECT_LT(*lag("lag_latency_milliseconds"), 300'000);
}

}  // namespace
}  // namespace gantry::broker::test
