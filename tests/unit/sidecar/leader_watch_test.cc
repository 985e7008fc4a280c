// SPDX-License-Identifier: Apache-2.0
#include "sidecar/leader_watch.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <vector>

#include "fake_broker.h"

namespace gantry::sidecar {
namespace {

using namespace std::chrono_literals;

const LeadershipAnswer kLeads{.seen = Seen::kLeads, .state = "b"};

TEST(PauseAfter, news_and_held_questions_are_followed_at_once) {
  EXPECT_EQ(pause_after({.known = "", .answer = kLeads, .took = 1ms}, 200ms), 0ms);
  EXPECT_EQ(pause_after({.known = "a", .answer = kLeads, .took = 1ms}, 200ms), 0ms);
  EXPECT_EQ(pause_after({.known = "b", .answer = kLeads, .took = 500ms}, 200ms), 0ms);
}

TEST(PauseAfter, a_broker_that_does_not_hold_questions_is_polled) {
  EXPECT_EQ(pause_after({.known = "b", .answer = kLeads, .took = 1ms}, 200ms), 200ms);
  EXPECT_EQ(pause_after({.known = "b", .answer = {.seen = Seen::kLeads}, .took = 1s}, 200ms),
            200ms);
}

TEST(PauseAfter, a_broken_question_is_repeated_soon_but_not_for_long) {
  for (const Seen seen : {Seen::kGone, Seen::kSilent}) {
    const auto pause = [seen](int failures) {
      return pause_after({.known = "b", .answer = {.seen = seen}, .failures = failures}, 200ms);
    };
    EXPECT_EQ(pause(1), 0ms);
    EXPECT_EQ(pause(2), 25ms);
    EXPECT_EQ(pause(4), 25ms);
    EXPECT_EQ(pause(5), 200ms);
    EXPECT_EQ(pause(1000), 200ms);
  }
}

// What the watch has told, and a wait for what it will.
class Told {
 public:
  LeaderWatch::Listener listener() {
    return [this](std::optional<bool> leads) {
      const std::lock_guard lock(mutex_);
      now_ = leads;
      changed_.notify_all();
    };
  }
  bool becomes(std::optional<bool> leads, std::chrono::milliseconds within = 10s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, within, [&] { return now_ == leads; });
  }
  std::optional<bool> now() {
    const std::lock_guard lock(mutex_);
    return now_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<bool> now_;
};

class LeaderWatchTest : public ::testing::Test {
 protected:
  void watch(LeaderWatchOptions options) {
    watch_.emplace(broker.host_port(), options, registry, told.listener());
    watch_->start();
  }
  metrics::Registry registry;
  test::FakeBroker broker;
  Told told;
  std::optional<LeaderWatch> watch_;  // the first to end
};

// The interval of an hour shows that nothing here is polled.
TEST_F(LeaderWatchTest, FollowsABrokerThatHoldsQuestions) {
  watch({.poll_interval = 1h});
  ASSERT_TRUE(told.becomes(false));
  broker.leads(true);
  ASSERT_TRUE(told.becomes(true));
  broker.leads(false);
  ASSERT_TRUE(told.becomes(false));
}

TEST_F(LeaderWatchTest, PollsABrokerThatDoesNot) {
  broker.lets_wait = false;
  watch({.poll_interval = 10ms});
  ASSERT_TRUE(told.becomes(false));
  broker.leads(true);
  ASSERT_TRUE(told.becomes(true));
}

TEST_F(LeaderWatchTest, ABrokerThatIsGoneDoesNotLead) {
  broker.leads(true);
  watch({.poll_interval = 10ms, .broker_timeout = 1h});
  ASSERT_TRUE(told.becomes(true));
  const int port = broker.port();
  broker.stop();
  ASSERT_TRUE(told.becomes(false)) << "at once, not after an hour of silence";
  test::FakeBroker again(port);
  again.leads(true);
  ASSERT_TRUE(told.becomes(true));
}

TEST_F(LeaderWatchTest, ASilentBrokerLeadsUntilPatienceEnds) {
  broker.leads(true);
  watch({.poll_interval = 10ms, .broker_timeout = 300ms});
  ASSERT_TRUE(told.becomes(true));
  const auto began = std::chrono::steady_clock::now();
  broker.hang();
  ASSERT_TRUE(told.becomes(false));
  // The question that hangs may have been answered last up to half a second ago.
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  EXPECT_EQ(watch_->last_seen().substr(0, 7), "silent:");
  broker.answer_all_with(0);
  ASSERT_TRUE(told.becomes(true));
}

TEST_F(LeaderWatchTest, SomeErrorsAreForgiven) {
  broker.leads(true);
  watch({.poll_interval = 1ms, .broker_timeout = 1h});
  ASSERT_TRUE(told.becomes(true));
  broker.answer_all_with(503);
  const int before = broker.questions();
  while (broker.questions() < before + 5) std::this_thread::yield();
  EXPECT_EQ(told.now(), true);
}

TEST_F(LeaderWatchTest, NothingIsToldOfABrokerThatHasNeverAnswered) {
  broker.answer_all_with(503);
  watch({.poll_interval = 1ms, .broker_timeout = 1h});
  while (broker.questions() < 5) std::this_thread::yield();
  EXPECT_EQ(told.now(), std::nullopt);
}

}  // namespace
}  // namespace gantry::sidecar
