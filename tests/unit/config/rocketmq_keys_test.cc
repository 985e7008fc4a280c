// SPDX-License-Identifier: Apache-2.0
#include "config/rocketmq_keys.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace gantry::config {
namespace {

TEST(RocketmqKeys, are_sorted_and_unique_per_owner) {
  std::set<std::pair<std::string_view, KeyOwner>> seen;
  std::string_view last;
  for (const RocketmqKey& key : rocketmq_keys()) {
    EXPECT_LE(last, key.key);
    EXPECT_TRUE(seen.emplace(key.key, key.owner).second) << key.key;
    last = key.key;
  }
  EXPECT_GT(seen.size(), 600U);
}

TEST(RocketmqKeys, are_found_by_owner) {
  constexpr KeyOwners kBroker = owners_of({KeyOwner::kBroker});
  constexpr KeyOwners kNamesrv = owners_of({KeyOwner::kNamesrv});
  ASSERT_NE(find_rocketmq_key("configBlackList", kBroker), nullptr);
  EXPECT_STREQ(find_rocketmq_key("configBlackList", kBroker)->default_text,
               "configBlackList;brokerConfigPath");
  EXPECT_STREQ(find_rocketmq_key("configBlackList", kNamesrv)->default_text,
               "configBlackList;configStorePath;kvConfigPath");
  EXPECT_EQ(find_rocketmq_key("brokerName", kNamesrv), nullptr);
  EXPECT_EQ(find_rocketmq_key("brokerNam", kBroker), nullptr);
  EXPECT_EQ(find_rocketmq_key("", kBroker), nullptr);
}

}  // namespace
}  // namespace gantry::config
