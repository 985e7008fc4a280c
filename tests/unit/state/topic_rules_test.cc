// SPDX-License-Identifier: Apache-2.0
#include "state/topic_rules.h"

#include <gtest/gtest.h>

namespace gantry::state {
namespace {

protocol::TopicConfig tbw102() {
  protocol::TopicConfig config;
  config.topic_name = "TBW102";
  config.read_queue_nums = 8;
  config.write_queue_nums = 8;
  config.perm = 7;
  config.topic_filter_type = protocol::TopicFilterType::kMultiTag;
  return config;
}

TEST(TopicRulesTest, ASendCreatesFromTheTemplate) {
  const auto created =
      inherit_topic(tbw102(), "t", {.default_topic_queue_nums = 4, .topic_sys_flag = 1});
  ASSERT_TRUE(created);
  EXPECT_EQ(created->topic_name, "t");
  EXPECT_EQ(created->read_queue_nums, 4);
  EXPECT_EQ(created->write_queue_nums, 4);
  EXPECT_EQ(created->perm, 6);
  EXPECT_EQ(created->topic_sys_flag, 1);
  EXPECT_EQ(created->topic_filter_type, protocol::TopicFilterType::kMultiTag);
  EXPECT_EQ(inherit_topic(tbw102(), "t", {.default_topic_queue_nums = 64})->write_queue_nums, 8);
  EXPECT_EQ(inherit_topic(tbw102(), "t", {.default_topic_queue_nums = -1})->write_queue_nums, 0);
}

TEST(TopicRulesTest, NotEveryTopicIsATemplate) {
  protocol::TopicConfig plain = tbw102();
  plain.perm = 6;
  EXPECT_FALSE(inherit_topic(plain, "t", {}));
  EXPECT_FALSE(inherit_topic(tbw102(), "t", {.auto_create_topic_enable = false}));
  protocol::TopicConfig other = tbw102();
  other.topic_name = "broker-a";
  EXPECT_TRUE(inherit_topic(other, "t", {.auto_create_topic_enable = false}));
}

TEST(TopicRulesTest, RetryAndDeadLetterTopics) {
  const auto retry = make_retry_topic("g", 3, 2);
  EXPECT_EQ(retry.topic_name, "%RETRY%g");
  EXPECT_EQ(retry.read_queue_nums, 3);
  EXPECT_EQ(retry.write_queue_nums, 3);
  EXPECT_EQ(retry.perm, 6);
  EXPECT_EQ(retry.topic_sys_flag, 2);
  const auto dlq = make_dlq_topic("g");
  EXPECT_EQ(dlq.topic_name, "%DLQ%g");
  EXPECT_EQ(dlq.write_queue_nums, 1);
  EXPECT_EQ(dlq.perm, 6);
}

std::string remark(const TopicAttributes* current, std::string_view text) {
  const auto altered = alter_topic_attributes(current, text);
  return altered ? "" : altered.error().message;
}

// The remarks are what Apache RocketMQ 5.5.0 answers.
TEST(TopicRulesTest, AttributesOfANewTopic) {
  const auto created = alter_topic_attributes(
      nullptr, "+queue.type=BatchCQ,+cleanup.policy=COMPACTION,+reserve.time=100");
  ASSERT_TRUE(created);
  EXPECT_EQ(*created, (TopicAttributes{{"queue.type", "BatchCQ"},
                                       {"cleanup.policy", "COMPACTION"},
                                       {"reserve.time", "100"}}));
  EXPECT_TRUE(alter_topic_attributes(nullptr, "")->empty());
  EXPECT_EQ(remark(nullptr, "message.type=FIFO"),
            "add/alter attribute format is wrong: message.type");
  EXPECT_EQ(remark(nullptr, "+message.type=fifo"),
            "value is not in set: [UNSPECIFIED, MIXED, TRANSACTION, PRIORITY, FIFO, DELAY, LITE, "
            "NORMAL]");
  EXPECT_EQ(remark(nullptr, "+foo=bar"), "unsupported key: foo");
  EXPECT_EQ(remark(nullptr, "+a=b=c"), "unsupported key: a");
  EXPECT_EQ(remark(nullptr, "-message.type"),
            "only add attribute is supported while creating topic. key: message.type");
  EXPECT_EQ(remark(nullptr, "+reserve.time=-2"), "value is not in range(-1, 9223372036854775807)");
  EXPECT_EQ(remark(nullptr, "+queue.type=SimpleCQ,+queue.type=BatchCQ"),
            "key duplication: +queue.type");
  EXPECT_EQ(remark(nullptr, " "), "delete attribute format is wrong:  ");
  EXPECT_EQ(remark(nullptr, "+reserve.time=soon"), "For input string: \"soon\"");
  EXPECT_EQ(remark(nullptr, "+queue.type=x"), "value is not in set: [SimpleCQ, BatchCQ]");
  EXPECT_EQ(remark(nullptr, "+cleanup.policy=x"), "value is not in set: [DELETE, COMPACTION]");
  EXPECT_EQ(remark(nullptr, "+message.type=FIFO,,+reserve.time=1"),
            "delete attribute format is wrong: ");
  EXPECT_EQ(remark(nullptr, "x+message.type=FIFO"), "kv string format wrong.");
  EXPECT_EQ(alter_topic_attributes(nullptr, "+reserve.time=+5,")->at("reserve.time"), "+5");
  EXPECT_NE(remark(nullptr, "+reserve.time="), "");
}

TEST(TopicRulesTest, AttributesOfAnExistingTopic) {
  const TopicAttributes current = {{"message.type", "FIFO"}, {"queue.type", "SimpleCQ"}};
  EXPECT_EQ(*alter_topic_attributes(&current, "-message.type,+reserve.time=5"),
            (TopicAttributes{{"queue.type", "SimpleCQ"}, {"reserve.time", "5"}}));
  EXPECT_EQ(alter_topic_attributes(&current, "+message.type=DELAY")->at("message.type"), "DELAY");
  EXPECT_EQ(*alter_topic_attributes(&current, ""), current);
  EXPECT_EQ(remark(&current, "+queue.type=BatchCQ"),
            "attempt to update an unchangeable attribute. key: queue.type");
  EXPECT_EQ(remark(&current, "-queue.type"),
            "attempt to update an unchangeable attribute. key: queue.type");
  EXPECT_EQ(remark(&current, "+cleanup.policy=DELETE"),
            "attempt to update an unchangeable attribute. key: cleanup.policy")
      << "not even one that the topic lacks";
  EXPECT_EQ(remark(&current, "+reserve.time=1,-reserve.time"),
            "attempt to delete a nonexistent key: reserve.time");
  EXPECT_EQ(remark(&current, "+message.type=DELAY,-message.type"),
            "alter duplication key. key: message.type");
  EXPECT_EQ(remark(&current, "-nothere"), "attempt to delete a nonexistent key: nothere");
  EXPECT_EQ(remark(&current, "+"), "delete attribute format is wrong: +");
  EXPECT_EQ(remark(&current, "-"), "kv string format wrong.");
}

}  // namespace
}  // namespace gantry::state
