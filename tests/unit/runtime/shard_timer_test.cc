// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "runtime/shard.h"
#include "shard_test_util.h"

namespace gantry::runtime {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

void busy_until(Clock::time_point when) {
  while (Clock::now() < when) {
  }
}

TEST(ShardTimer, FiresOnceAndNotEarly) {
  Shard shard("t");
  int fired = 0;
  const auto begin = Clock::now();
  const auto timer = shard.after(milliseconds(10), [&] {
    EXPECT_TRUE(shard.on_shard());
    ++fired;
    shard.stop();
  });
  shard.run();
  EXPECT_EQ(fired, 1);
  EXPECT_GE(Clock::now() - begin, milliseconds(10));
}

TEST(ShardTimer, EveryRepeatsUntilItIsCancelledFromItsOwnFunction) {
  Shard shard("t");
  int fired = 0;
  std::unique_ptr<Timer> timer;
  std::unique_ptr<Timer> end;
  timer = shard.every(milliseconds(1), [&] {
    if (++fired < 3) return;
    timer->cancel();
    end = shard.after(milliseconds(10), [&] { shard.stop(); });
  });
  shard.run();
  EXPECT_EQ(fired, 3);
}

TEST(ShardTimer, ALateRepeatingTimerDoesNotCatchUpInABurst) {
  Shard shard("t");
  int fired = 0;
  const auto begin = Clock::now();
  const auto timer = shard.every(milliseconds(10), [&] {
    if (++fired == 1) busy_until(Clock::now() + milliseconds(50));
    if (fired == 3) shard.stop();
  });
  shard.run();
  // 10, then 50 busy and at once the second, then a whole period to the third.
  EXPECT_GE(Clock::now() - begin, milliseconds(70));
}

TEST(ShardTimer, MayDestroyItselfInItsFunction) {
  Shard shard("t");
  bool held_until_return = false;
  auto marker = std::make_shared<int>(7);
  std::unique_ptr<Timer> timer;
  std::unique_ptr<Timer> repeating;
  timer = shard.after(milliseconds(1), [&, marker] {
    timer.reset();
    held_until_return = *marker == 7;
  });
  repeating = shard.every(milliseconds(2), [&, marker] {
    repeating.reset();
    EXPECT_EQ(*marker, 7);
    shard.stop();
  });
  shard.run();
  EXPECT_TRUE(held_until_return);
  EXPECT_EQ(marker.use_count(), 1) << "a timer that is gone holds nothing";
}

TEST(ShardTimer, OneThatIsDueAlreadyCanStillBeCancelled) {
  Shard shard("t");
  std::unique_ptr<Timer> first;
  std::unique_ptr<Timer> second;
  int fired = 0;
  shard.post([&] {
    // Both are due before the loop looks again, so both handlers are queued together.
    first = shard.after(milliseconds(1), [&] {
      ++fired;
      second->cancel();
    });
    second = shard.after(milliseconds(2), [&] { fired += 100; });
    busy_until(Clock::now() + milliseconds(5));
  });
  const auto end = shard.after(milliseconds(30), [&] { shard.stop(); });
  shard.run();
  EXPECT_EQ(fired, 1);
}

TEST(ShardTimer, CancelAndDestroyReleaseWhatTheFunctionHolds) {
  Shard shard("t");
  auto marker = std::make_shared<int>(0);
  const auto cancelled = shard.after(std::chrono::hours(1), [marker] {});
  auto destroyed = shard.every(std::chrono::hours(1), [marker] {});
  EXPECT_EQ(marker.use_count(), 3);
  cancelled->cancel();
  EXPECT_EQ(marker.use_count(), 2);
  destroyed.reset();
  EXPECT_EQ(marker.use_count(), 1);
  shard.stop();
  shard.run();
}

TEST(ShardTimer, MayBeDestroyedAfterTheLoopHasEnded) {
  std::unique_ptr<Timer> timer;
  Shard shard("t");
  shard.start();
  ASSERT_TRUE(shard.call([&] { timer = shard.after(std::chrono::hours(1), [] {}); }));
  shard.stop();
  shard.join();
  timer.reset();
}

}  // namespace
}  // namespace gantry::runtime
