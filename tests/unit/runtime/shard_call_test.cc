// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "runtime/shard.h"
#include "shard_test_util.h"

namespace gantry::runtime {
namespace {

using std::chrono::milliseconds;

TEST(ShardCall, RunsOnTheShardAndWaits) {
  Shard shard("t");
  shard.start();
  bool on_shard = false;
  int value = 0;
  EXPECT_TRUE(shard.call([&] {
    on_shard = shard.on_shard();
    value = 42;
  }));
  EXPECT_TRUE(on_shard);
  EXPECT_EQ(value, 42);
}

TEST(ShardCall, TimesOutWithoutRunningLater) {
  Shard shard("t");
  Event entered;
  Event release;
  shard.start();
  shard.post([&] {
    entered.set();
    EXPECT_TRUE(release.wait());
  });
  ASSERT_TRUE(entered.wait());
  bool ran = false;
  bool destroyed = false;
  EXPECT_FALSE(shard.call([&, guard = OnDestroy([&] { destroyed = true; })] { ran = true; },
                          milliseconds(5)));
  EXPECT_TRUE(destroyed) << "what the task holds must not outlive the call";
  release.set();
  ASSERT_TRUE(shard.call([] {}, kPatience));
  EXPECT_FALSE(ran);
}

// The result always tells the truth, and a task that has begun is waited for. On a busy machine the
// timeout may pass before the task begins: then it is tried again.
TEST(ShardCall, ATaskThatHasBegunIsWaitedForBeyondTheTimeout) {
  constexpr milliseconds kTimeout(20);
  Shard shard("t");
  shard.start();
  bool result = false;
  for (int attempt = 0; attempt < 500 && !result; ++attempt) {
    std::atomic<bool> finished = false;
    result = shard.call(
        [&] {
          const auto late = std::chrono::steady_clock::now() + 2 * kTimeout;
          while (std::chrono::steady_clock::now() < late) std::this_thread::yield();
          finished = true;
        },
        kTimeout);
    ASSERT_EQ(result, finished.load());
  }
  EXPECT_TRUE(result);
}

TEST(ShardCall, FailsAtOnceWhenTheLoopHasEnded) {
  Shard shard("t");
  shard.start();
  shard.stop();
  shard.join();
  bool ran = false;
  EXPECT_FALSE(shard.call([&] { ran = true; }, kPatience));
  EXPECT_FALSE(ran);
}

TEST(ShardCall, FailsWhenTheShardIsDestroyedBeforeItEverRan) {
  auto shard = std::make_unique<Shard>("t");
  std::atomic<bool> called = false;
  Event posted;
  bool ran = false;
  std::thread caller([&, s = shard.get()] {
    s->post([guard = OnDestroy([&] { called = true; })] {});
    posted.set();
    EXPECT_FALSE(s->call([&] { ran = true; }, milliseconds(50)));
  });
  ASSERT_TRUE(posted.wait());
  caller.join();
  shard.reset();
  EXPECT_TRUE(called);
  EXPECT_FALSE(ran);
}

TEST(ShardCall, IsRefusedOnTheShardItself) {
  Shard shard("t");
  shard.start();
  bool result = true;
  bool ran = false;
  ASSERT_TRUE(shard.call([&] { result = shard.call([&] { ran = true; }); }));
  EXPECT_FALSE(result);
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace gantry::runtime
