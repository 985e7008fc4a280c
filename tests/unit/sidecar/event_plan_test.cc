// SPDX-License-Identifier: Apache-2.0
#include "sidecar/event_plan.h"

#include <gtest/gtest.h>

namespace gantry::sidecar {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kDelay = 10 * kSecond;
constexpr std::int64_t kInterval = 300 * kSecond;
constexpr std::int64_t kRetry = 15 * kSecond;
constexpr int kBurst = 4;

const ReadinessAnswer kReady{.ready = true};
const ReadinessAnswer kUnknown{};

ReadinessAnswer fails(const std::string& reason, const std::string& message = "why") {
  return {.failed = {{.reason = reason, .message = message}}};
}

class EventPlanTest : public ::testing::Test {
 protected:
  // What is posted after that answer at that second: "Warning NoLeader"; empty: nothing.
  std::string at(std::int64_t second, const ReadinessAnswer& answer, bool works = true) {
    const std::int64_t now = second * kSecond;
    plan.note(answer, now);
    const auto event = plan.due(now);
    if (!event) return {};
    works ? plan.posted(*event, now) : plan.failed(now);
    message = event->message;
    return std::string(kube::to_string(event->type)) + " " + event->reason;
  }

  EventPlan plan{
      {.delay_us = kDelay, .interval_us = kInterval, .retry_us = kRetry, .burst = kBurst}};
  std::string message;
};

TEST_F(EventPlanTest, AStartThatIsReadyInTimeIsNoEvent) {
  EXPECT_EQ(at(0, fails("Starting")), "");
  EXPECT_EQ(at(5, fails("NoLeader")), "");
  EXPECT_EQ(at(14, fails("NameServerUnreachable")), "");
  EXPECT_EQ(at(15, kReady), "");
  EXPECT_EQ(at(1000, kReady), "") << "nor is its end";
}

TEST_F(EventPlanTest, WhatLastsIsReportedOnceInAnInterval) {
  EXPECT_EQ(at(0, fails("NoLeader")), "");
  EXPECT_EQ(at(9, fails("NoLeader")), "");
  EXPECT_EQ(at(10, fails("NoLeader")), "Warning NoLeader");
  EXPECT_EQ(at(11, fails("NoLeader")), "");
  EXPECT_EQ(at(309, fails("NoLeader", "another text")), "");
  EXPECT_EQ(at(310, fails("NoLeader", "another text")), "Warning NoLeader");
  EXPECT_NE(message.find("another text"), std::string::npos);
  EXPECT_EQ(at(609, fails("NoLeader")), "");
  EXPECT_EQ(at(610, fails("NoLeader")), "Warning NoLeader");
}

TEST_F(EventPlanTest, ReadyAgainIsReportedOnceAndSaysAfterWhat) {
  at(0, fails("NoLeader"));
  ASSERT_EQ(at(10, fails("NoLeader")), "Warning NoLeader");
  EXPECT_EQ(at(20, fails("CatchingUp")), "") << "not yet ready";
  EXPECT_EQ(at(21, kReady), "Normal BrokerReady");
  EXPECT_NE(message.find("NoLeader"), std::string::npos);
  EXPECT_EQ(at(22, kReady), "");
  EXPECT_EQ(at(23, fails("NoLeader")), "");
  EXPECT_EQ(at(32, kReady), "") << "no Warning since";
  EXPECT_EQ(at(33, fails("NoLeader")), "");
  EXPECT_EQ(at(43, fails("NoLeader")), "Warning NoLeader") << "another time, not a repetition";
}

TEST_F(EventPlanTest, AnotherReasonIsReportedAtOnceAndEachForItself) {
  at(0, fails("NoLeader"));
  ASSERT_EQ(at(10, fails("NoLeader")), "Warning NoLeader");
  EXPECT_EQ(at(11, fails("NameServerRefused")), "Warning NameServerRefused");
  EXPECT_EQ(at(12, fails("NoLeader")), "");
  EXPECT_EQ(at(13, fails("NameServerRefused")), "");
  EXPECT_EQ(at(310, fails("NoLeader")), "Warning NoLeader");
}

TEST_F(EventPlanTest, ReasonsThatChangeAllTheTimeLastTogether) {
  EXPECT_EQ(at(0, fails("NameServerUnreachable")), "");
  EXPECT_EQ(at(6, fails("NameServerUnresolvable")), "");
  EXPECT_EQ(at(10, fails("NameServerUnreachable")), "Warning NameServerUnreachable");
}

TEST_F(EventPlanTest, ABrokerThatIsAwayBeginsAnew) {
  EXPECT_EQ(at(0, fails("NoLeader")), "");
  EXPECT_EQ(at(9, kUnknown), "");
  EXPECT_EQ(at(10, fails("NoLeader")), "");
  EXPECT_EQ(at(20, fails("NoLeader")), "Warning NoLeader");
  EXPECT_EQ(at(21, kUnknown), "") << "it is not ready, either";
  EXPECT_EQ(at(22, kReady), "Normal BrokerReady");
}

TEST_F(EventPlanTest, WhatCouldNotBePostedIsTriedAgainLater) {
  at(0, fails("NoLeader"));
  EXPECT_EQ(at(10, fails("NoLeader"), false), "Warning NoLeader");
  EXPECT_EQ(at(24, fails("NoLeader")), "");
  EXPECT_EQ(at(25, fails("NoLeader")), "Warning NoLeader");
  EXPECT_EQ(at(30, kReady, false), "Normal BrokerReady");
  EXPECT_EQ(at(44, kReady), "");
  EXPECT_EQ(at(45, kReady), "Normal BrokerReady");
}

TEST_F(EventPlanTest, AReadyBrokerIsNotNewsWhenItsTroubleCouldNotBePosted) {
  at(0, fails("NoLeader"));
  EXPECT_EQ(at(10, fails("NoLeader"), false), "Warning NoLeader");
  EXPECT_EQ(at(100, kReady), "");
}

TEST_F(EventPlanTest, ToAndFroIsHeldToABurstAndOneMoreInEachInterval) {
  std::int64_t second = 0;
  int events = 0;
  const auto go_on_until = [&](std::int64_t end) {
    for (; second < end; second += 12) {
      if (!at(second, fails("NoLeader")).empty()) ++events;
      if (!at(second + 10, fails("NoLeader")).empty()) ++events;
      if (!at(second + 11, kReady).empty()) ++events;
    }
  };
  go_on_until(60);
  EXPECT_EQ(events, kBurst);
  go_on_until(3000);
  EXPECT_GE(events, kBurst + 8);
  EXPECT_LE(events, kBurst + 10);
}

}  // namespace
}  // namespace gantry::sidecar
