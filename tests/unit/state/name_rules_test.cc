// SPDX-License-Identifier: Apache-2.0
#include "state/name_rules.h"

#include <gtest/gtest.h>

namespace gantry::state {
namespace {

std::string remark(const Result<void>& result) { return result ? "" : result.error().message; }

TEST(NameRulesTest, TopicsAsRocketMqRefusesThem) {
  EXPECT_TRUE(validate_topic_name("%a|b-c_D9"));
  EXPECT_TRUE(validate_topic_name("%RETRY%group"));
  EXPECT_TRUE(validate_topic_name(std::string(127, 'x')));
  EXPECT_EQ(remark(validate_topic_name("")), "The specified topic is blank.");
  EXPECT_EQ(remark(validate_topic_name(" \t")), "The specified topic is blank.");
  EXPECT_EQ(remark(validate_topic_name("a.b")),
            "The specified topic: a.b, contains illegal characters, allowing only "
            "^[%|a-zA-Z0-9_-]+$");
  EXPECT_EQ(
      remark(validate_topic_name(std::string(128, 'x'))),
      "The specified topic: " + std::string(128, 'x') + ", is longer than topic max length: 127");
  EXPECT_FALSE(validate_topic_name("a@b"));
  EXPECT_FALSE(validate_topic_name("\xc3\xa4"));
}

TEST(NameRulesTest, GroupsAsRocketMqRefusesThem) {
  EXPECT_TRUE(validate_group_name(std::string(120, 'x')));
  EXPECT_EQ(
      remark(validate_group_name(std::string(121, 'x'))),
      "The specified group: " + std::string(121, 'x') + ", is longer than group max length: 120");
  EXPECT_EQ(remark(validate_group_name("")), "The specified group is blank.");
  EXPECT_FALSE(validate_group_name("a b"));
}

TEST(NameRulesTest, NamesBuiltFromOthers) {
  EXPECT_EQ(retry_topic("g"), "%RETRY%g");
  EXPECT_EQ(dlq_topic("g"), "%DLQ%g");
  EXPECT_EQ(pop_retry_topic("g", "t"), "%RETRY%g_t");
  EXPECT_TRUE(is_retry_topic("%RETRY%g"));
  EXPECT_FALSE(is_retry_topic("%DLQ%g"));
  EXPECT_TRUE(is_dlq_topic("%DLQ%g"));
  EXPECT_TRUE(validate_topic_name(retry_topic(std::string(120, 'g'))));
}

}  // namespace
}  // namespace gantry::state
