// SPDX-License-Identifier: Apache-2.0
#include "state/system_topics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "replog/internal_topic.h"

namespace gantry::state {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

SystemTopicOptions options() {
  SystemTopicOptions out;
  out.broker_cluster_name = "DefaultCluster";
  out.broker_name = "broker-a";
  return out;
}

const protocol::TopicConfig* find(const SystemTopics& topics, std::string_view name) {
  for (const auto& config : topics.initial_topics()) {
    if (config.topic_name == name) return &config;
  }
  return nullptr;
}

TEST(SystemTopicsTest, TheLogsTopicIsTheCommandTopic) {
  EXPECT_EQ(kCommandTopic, replog::kLogTopic);
  EXPECT_TRUE(is_internal_topic(kCommandTopic));
}

TEST(SystemTopicsTest, InitialTopicsWithQueuesAndPermissions) {
  const SystemTopics topics(options());
  std::map<std::string, std::pair<std::int32_t, std::int32_t>> got;
  for (const auto& config : topics.initial_topics()) {
    EXPECT_EQ(config.read_queue_nums, config.write_queue_nums);
    got[config.topic_name] = {config.write_queue_nums, config.perm};
  }
  const decltype(got) expected = {
      {"SELF_TEST_TOPIC", {1, 6}},
      {"TBW102", {8, 7}},
      {"BenchmarkTest", {1024, 6}},
      {"DefaultCluster", {16, 7}},
      {"broker-a", {1, 7}},
      {"OFFSET_MOVED_EVENT", {1, 6}},
      {"SCHEDULE_TOPIC_XXXX", {18, 6}},
      {"DefaultCluster_REPLY_TOPIC", {1, 6}},
      {"rmq_sys_REVIVE_LOG_DefaultCluster", {8, 6}},
      {"rmq_sys_SYNC_BROKER_MEMBER_broker-a", {1, 1}},
      {"RMQ_SYS_TRANS_HALF_TOPIC", {1, 6}},
      {"RMQ_SYS_TRANS_OP_HALF_TOPIC", {1, 6}},
      {"rmq_sys_wheel_timer", {1, 6}},
  };
  EXPECT_EQ(got, expected);
}

TEST(SystemTopicsTest, ConfigurationDecides) {
  SystemTopicOptions off = options();
  off.auto_create_topic_enable = false;
  off.timer_wheel_enable = false;
  off.trace_topic_enable = true;
  off.msg_trace_topic_name = "my_trace";
  off.cluster_topic_enable = false;
  off.revive_queue_num = 3;
  off.delay_level_count = 5;
  const SystemTopics topics(off);
  EXPECT_EQ(find(topics, "TBW102"), nullptr);
  EXPECT_EQ(find(topics, "rmq_sys_wheel_timer"), nullptr);
  EXPECT_NE(find(topics, "my_trace"), nullptr);
  EXPECT_EQ(find(topics, "DefaultCluster")->perm, 1);
  EXPECT_EQ(find(topics, "rmq_sys_REVIVE_LOG_DefaultCluster")->read_queue_nums, 3);
  EXPECT_EQ(find(topics, "SCHEDULE_TOPIC_XXXX")->read_queue_nums, 5);
  EXPECT_TRUE(topics.is_system_topic("my_trace"));
  EXPECT_TRUE(topics.is_system_topic("TBW102"));
}

TEST(SystemTopicsTest, ReservedNames) {
  const SystemTopics topics(options());
  for (const char* name : {"TBW102", "broker-a", "DefaultCluster", "rmq_sys_anything",
                           "CHECKPOINT_TOPIC", "RMQ_SYS_TRACE_TOPIC", "TRANS_CHECK_MAX_TIME_TOPIC",
                           "DefaultCluster_REPLY_TOPIC", "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC"}) {
    EXPECT_TRUE(topics.is_system_topic(name)) << name;
  }
  for (const char* name : {"orders", "RMQ_SYS_FOO", "%RETRY%g", "broker-b"}) {
    EXPECT_FALSE(topics.is_system_topic(name)) << name;
  }
  EXPECT_THAT(topics.names(), Contains("SELF_TEST_TOPIC"));
  EXPECT_THAT(topics.names(), Not(Contains(std::string(kCommandTopic))));
}

TEST(SystemTopicsTest, SendTargets) {
  for (const char* name :
       {"SCHEDULE_TOPIC_XXXX", "SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT", "RMQ_SYS_TRANS_HALF_TOPIC",
        "RMQ_SYS_TRANS_OP_HALF_TOPIC", "TRANS_CHECK_MAX_TIME_TOPIC",
        "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC", "rmq_sys_GANTRY_LOG"}) {
    EXPECT_TRUE(is_forbidden_send_target(name)) << name;
  }
  for (const char* name : {"BenchmarkTest", "RMQ_SYS_TRACE_TOPIC", "rmq_sys_wheel_timer", "TBW102",
                           "CHECKPOINT_TOPIC", "orders"}) {
    EXPECT_FALSE(is_forbidden_send_target(name)) << name;
  }
  EXPECT_EQ(send_forbidden_remark("X"), "Sending message to topic[X] is forbidden.");
  EXPECT_EQ(system_topic_remark("X"), "The topic[X] is conflict with system topic.");
}

TEST(SystemTopicsTest, Groups) {
  const SystemTopics topics(options());
  std::vector<std::string> names;
  for (const auto& config : topics.initial_groups()) {
    names.push_back(config.group_name);
    EXPECT_TRUE(config.consume_broadcast_enable);
  }
  EXPECT_THAT(names, ElementsAre("TOOLS_CONSUMER", "FILTERSRV_CONSUMER", "SELF_TEST_C_GROUP",
                                 "CID_ONS-HTTP-PROXY", "CID_ONSAPI_PULL", "CID_ONSAPI_PERMISSION",
                                 "CID_ONSAPI_OWNER", "CID_RMQ_SYS_TRANS"));
  EXPECT_TRUE(is_system_group("CID_RMQ_SYS_TRANS"));
  EXPECT_FALSE(is_system_group("TOOLS_CONSUMER"));
}

}  // namespace
}  // namespace gantry::state
