// SPDX-License-Identifier: Apache-2.0
#include "sidecar/drain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "fake_broker.h"

namespace gantry::sidecar {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class DrainTest : public ::testing::Test {
 protected:
  DrainOutcome run(std::chrono::milliseconds timeout = 30s) {
    return drain({.host_port = broker.host_port(), .timeout = timeout, .poll_interval = 5ms});
  }
  test::FakeBroker broker;
};

TEST_F(DrainTest, ALeaderHandsOver) {
  broker.leads(true);
  std::jthread hand_over;
  broker.on_maintenance = [&] {
    hand_over = std::jthread([&] {
      const int before = broker.questions();
      while (broker.questions() < before + 2) std::this_thread::yield();
      broker.leads(false);
    });
  };
  const DrainOutcome done = run();
  EXPECT_EQ(done.drained, Drained::kMoved) << done.text;
}

TEST_F(DrainTest, ALeaderThatHasHandedOverStaysForAWhile) {
  broker.leads(true);
  broker.on_maintenance = [&] { broker.leads(false); };
  const auto began = std::chrono::steady_clock::now();
  const DrainOutcome done = drain({.host_port = broker.host_port(), .linger = 200ms});
  EXPECT_EQ(done.drained, Drained::kMoved) << done.text;
  EXPECT_GE(std::chrono::steady_clock::now() - began, 195ms);
}

TEST_F(DrainTest, ItLingersNoLongerThanItsTime) {
  broker.leads(true);
  broker.on_maintenance = [&] { broker.leads(false); };
  const DrainOutcome done =
      drain({.host_port = broker.host_port(), .timeout = 100ms, .linger = 1h});
  EXPECT_EQ(done.drained, Drained::kMoved) << done.text;
}

TEST_F(DrainTest, AFollowerDoesNotLinger) {
  EXPECT_EQ(drain({.host_port = broker.host_port(), .timeout = 2h, .linger = 1h}).drained,
            Drained::kMoved);
}

TEST_F(DrainTest, AFollowerGoesAtOnce) {
  bool asked = false;
  broker.on_maintenance = [&] { asked = true; };
  EXPECT_EQ(run().drained, Drained::kMoved);
  EXPECT_TRUE(asked) << "it must not be elected any more";
}

TEST_F(DrainTest, WithoutABrokerThereIsNothingToWaitFor) {
  broker.stop();
  const DrainOutcome done = run();
  EXPECT_EQ(done.drained, Drained::kGone);
  EXPECT_THAT(done.text, HasSubstr(broker.host_port()));
}

TEST_F(DrainTest, ABrokerThatDiesMeanwhileIsGone) {
  broker.leads(true);
  std::jthread death;
  broker.on_maintenance = [&] {
    death = std::jthread([&] {
      const int before = broker.questions();
      while (broker.questions() < before + 2) std::this_thread::yield();
      broker.stop();
    });
  };
  EXPECT_EQ(run().drained, Drained::kGone);
}

TEST_F(DrainTest, ASetOfOneDoesNotWait) {
  broker.leads(true);
  broker.voters = 1;
  broker.obstacle = "there is no other voter";
  const DrainOutcome done = run();
  EXPECT_EQ(done.drained, Drained::kAlone);
  EXPECT_THAT(done.text, HasSubstr("no other voter"));
}

TEST_F(DrainTest, ASuccessorMayTurnUpUntilTheTimeIsOver) {
  broker.leads(true);
  broker.obstacle = "member x does not answer";
  const auto began = std::chrono::steady_clock::now();
  const DrainOutcome done = run(200ms);
  EXPECT_EQ(done.drained, Drained::kTimedOut);
  EXPECT_EQ(done.text, "the broker still leads: member x does not answer");
  EXPECT_GE(std::chrono::steady_clock::now() - began, 195ms);
}

TEST_F(DrainTest, ASilentBrokerIsGivenUp) {
  broker.hang();
  const DrainOutcome done = run(100ms);
  EXPECT_EQ(done.drained, Drained::kTimedOut);
  EXPECT_THAT(done.text, HasSubstr("cannot be drained"));
}

TEST_F(DrainTest, ABrokerWithoutMaintenanceIsLeftAlone) {
  broker.answer_all_with(404);
  const DrainOutcome done = run();
  EXPECT_EQ(done.drained, Drained::kImpossible);
  EXPECT_THAT(done.text, HasSubstr("404"));
}

}  // namespace
}  // namespace gantry::sidecar
