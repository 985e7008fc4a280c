// SPDX-License-Identifier: Apache-2.0
#include "cli/places.h"

#include <gtest/gtest.h>

namespace gantry::cli {
namespace {

TEST(QueueName, IsBrokerAndId) {
  const auto queue = parse_queue_name("broker:a:12");
  ASSERT_TRUE(queue);
  EXPECT_EQ(queue->broker, "broker:a");
  EXPECT_EQ(queue->id, 12);
  for (const auto* bad :
       {"", "broker-a", "broker-a:", ":3", "broker-a:-1", "broker-a:x", "broker-a:99999999999"}) {
    EXPECT_FALSE(parse_queue_name(bad)) << bad;
  }
}

TEST(Place, HasFourForms) {
  EXPECT_EQ(parse_place("earliest", 0)->kind, Place::Kind::kEarliest);
  EXPECT_EQ(parse_place("latest", 0)->kind, Place::Kind::kLatest);
  const auto offset = parse_place("offset:12", 0);
  EXPECT_EQ(offset->kind, Place::Kind::kOffset);
  EXPECT_EQ(offset->value, 12);
  const auto time = parse_place("2s ago", 5000);
  EXPECT_EQ(time->kind, Place::Kind::kTime);
  EXPECT_EQ(time->value, 3000);
  for (const auto* bad : {"", "offset:", "offset:-1", "offset:x", "sometime"}) {
    EXPECT_FALSE(parse_place(bad, 0)) << bad;
  }
}

}  // namespace
}  // namespace gantry::cli
