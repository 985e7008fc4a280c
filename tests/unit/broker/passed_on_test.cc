// SPDX-License-Identifier: Apache-2.0
#include "broker/group/passed_on.h"

#include <gtest/gtest.h>

namespace gantry::broker {
namespace {

constexpr net::ConnectionId kClient = 7;
constexpr std::int64_t kBegan = 1'000'000;
constexpr std::int64_t kLong = kBegan + PassedOn::kServedForUs;

TEST(PassedOn, AConnectionIsServedForAWhile) {
  PassedOn connections;
  connections.passed(kClient, false, kBegan);
  connections.answered(kClient);
  EXPECT_FALSE(connections.may_close(kClient, kLong - 1));
  EXPECT_TRUE(connections.may_close(kClient, kLong));
}

TEST(PassedOn, TheWhileBeginsWithTheFirstRequest) {
  PassedOn connections;
  connections.passed(kClient, true, kBegan);
  connections.passed(kClient, true, kLong - 1);
  EXPECT_TRUE(connections.may_close(kClient, kLong));
}

TEST(PassedOn, NoAnswerIsLost) {
  PassedOn connections;
  connections.passed(kClient, false, kBegan);
  connections.passed(kClient, false, kLong);
  connections.answered(kClient);
  EXPECT_FALSE(connections.may_close(kClient, kLong)) << "one request waits for its answer";
  connections.answered(kClient);
  EXPECT_TRUE(connections.may_close(kClient, kLong));
}

TEST(PassedOn, OthersAreLeftAlone) {
  PassedOn connections;
  connections.passed(kClient, true, kBegan);
  EXPECT_FALSE(connections.may_close(kClient + 1, kLong));
  connections.answered(kClient + 1);
  connections.forget(kClient);
  EXPECT_FALSE(connections.may_close(kClient, kLong));
  EXPECT_EQ(connections.size(), 0U);
}

}  // namespace
}  // namespace gantry::broker
