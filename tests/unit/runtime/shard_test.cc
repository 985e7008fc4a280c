// SPDX-License-Identifier: Apache-2.0
#include "runtime/shard.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtime/time_slice.h"
#include "shard_test_util.h"

namespace gantry::runtime {
namespace {

using Phase = TurnHook::Phase;

TEST(Shard, PostedTasksRunInOrderOnTheShard) {
  Shard shard("t");
  std::vector<int> order;
  shard.post([&] {
    EXPECT_TRUE(shard.on_shard());
    shard.post([&] { order.push_back(3); });
    order.push_back(1);  // post() never runs inline
  });
  shard.post([&] { order.push_back(2); });
  EXPECT_FALSE(shard.on_shard());
  EXPECT_TRUE(order.empty());
  shard.start();
  ASSERT_TRUE(shard.call([&] { order.push_back(4); }));
  shard.stop();
  shard.join();
  EXPECT_EQ(order.size(), 4U);
  EXPECT_EQ(order[0], 1);
  EXPECT_EQ(order[1], 2);
}

TEST(Shard, HasAShortTimeSliceItsHelpersHaveTheUsualOne) {
  const auto usual = time_slice();
  if (usual.count() == 0) GTEST_SKIP() << "this kernel has no time slices for threads";
  if (getpriority(PRIO_PROCESS, 0) < 0) {
    GTEST_SKIP()
        << "Linux hands the slice on to new threads of a process with a negative nice value";
  }
  Shard shard("t");
  shard.start();
  std::chrono::nanoseconds own{0};
  std::chrono::nanoseconds helpers{0};
  ASSERT_TRUE(shard.call([&] {
    own = time_slice();
    std::thread([&] { helpers = time_slice(); }).join();
  }));
  EXPECT_LT(own, usual);
  EXPECT_EQ(own, std::chrono::microseconds(100));
  EXPECT_EQ(helpers, usual);
}

TEST(Shard, TasksOfManyThreadsAllRunAndKeepEachThreadsOrder) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 5000;
  Shard shard("t");
  std::vector<std::vector<int>> seen(kThreads);
  shard.start();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        shard.post([&list = seen[static_cast<std::size_t>(t)], i] { list.push_back(i); });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(shard.call([] {}));
  for (const auto& list : seen) {
    ASSERT_EQ(list.size(), static_cast<std::size_t>(kTasks));
    EXPECT_TRUE(std::is_sorted(list.begin(), list.end()));
  }
}

TEST(Shard, HooksRunOncePerTurnAfterTheReadyHandlersInOrderOfPhase) {
  Shard shard("t");
  std::string trace;
  FunctionHook log(Phase::kLog, [&] { trace += "L"; });
  FunctionHook commit(Phase::kCommit, [&] { trace += "C"; });
  FunctionHook net(Phase::kNet, [&] { trace += "N"; });
  for (int i = 0; i < 2; ++i) {
    shard.post([&] {
      trace += "t";
      shard.schedule(net);
      shard.schedule(log);
      shard.schedule(commit);
      shard.schedule(log);
    });
  }
  shard.stop();
  shard.run();
  EXPECT_EQ(trace, "ttLCN");
}

TEST(Shard, EachTurnHasItsOwnEnd) {
  Shard shard("t");
  std::string trace;
  FunctionHook hook(Phase::kNet, [&] { trace += "h"; });
  shard.post([&] {
    trace += "1";
    shard.schedule(hook);
    shard.post([&] {  // a later turn: not ready when the hook was scheduled
      trace += "2";
      shard.schedule(hook);
      shard.stop();
    });
  });
  shard.run();
  EXPECT_EQ(trace.front(), '1');
  EXPECT_EQ(trace.back(), 'h');
  EXPECT_NE(trace.find('2'), std::string::npos);
}

TEST(Shard, HooksMayScheduleHooksOfTheSameAndLaterPhasesForTheSameEnd) {
  Shard shard("t");
  std::string trace;
  FunctionHook net(Phase::kNet, [&] { trace += "N"; });
  FunctionHook commit(Phase::kCommit, [&] {
    trace += "C";
    shard.schedule(net);
  });
  FunctionHook log_again(Phase::kLog, [&] { trace += "l"; });
  FunctionHook log(Phase::kLog, [&] {
    trace += "L";
    shard.schedule(log_again);
    shard.schedule(commit);
  });
  shard.post([&] {
    shard.schedule(log);
    shard.post([&] { trace += "t"; });
  });
  shard.stop();
  shard.run();
  EXPECT_EQ(trace, "LlCN");
}

TEST(Shard, AHookMayScheduleItselfAgain) {
  Shard shard("t");
  int runs = 0;
  FunctionHook* self = nullptr;
  FunctionHook hook(Phase::kLog, [&] {
    if (++runs < 3) shard.schedule(*self);
  });
  self = &hook;
  shard.post([&] { shard.schedule(hook); });
  shard.stop();
  shard.run();
  EXPECT_EQ(runs, 3);
}

TEST(Shard, AnUnscheduledHookDoesNotRunAndMayBeDestroyed) {
  Shard shard("t");
  std::string trace;
  auto doomed = std::make_unique<FunctionHook>(Phase::kNet, [&] { trace += "X"; });
  FunctionHook first(Phase::kLog, [&] {
    trace += "1";
    shard.unschedule(*doomed);  // while the hooks are being run
    doomed.reset();
  });
  FunctionHook second(Phase::kNet, [&] { trace += "2"; });
  auto early = std::make_unique<FunctionHook>(Phase::kLog, [&] { trace += "Y"; });
  shard.post([&] {
    shard.schedule(*early);
    shard.schedule(first);
    shard.schedule(*doomed);
    shard.schedule(second);
    shard.unschedule(*early);
    early.reset();
  });
  shard.stop();
  shard.run();
  EXPECT_EQ(trace, "12");
}

TEST(Shard, StopRunsWhatIsReadyAndDropsWhatComesLater) {
  std::string trace;
  bool dropped = false;
  Shard shard("t");
  FunctionHook hook(Phase::kNet, [&] { trace += "h"; });
  shard.post([&] {
    trace += "a";
    shard.schedule(hook);
  });
  shard.stop();
  shard.post([&, guard = OnDestroy([&] { dropped = true; })] { trace += "X"; });
  EXPECT_TRUE(dropped);
  shard.run();
  EXPECT_EQ(trace, "ah");
}

TEST(Shard, StopIsAllowedTwiceAndFromTheShard) {
  Shard shard("t");
  shard.start();
  shard.post([&] {
    shard.stop();
    shard.stop();
  });
  shard.join();
  shard.stop();
}

TEST(Shard, AShardThatNeverRanDestroysItsTasks) {
  bool dropped = false;
  bool ran = false;
  {
    Shard shard("t");
    shard.post([&, guard = OnDestroy([&] { dropped = true; })] { ran = true; });
  }
  EXPECT_TRUE(dropped);
  EXPECT_FALSE(ran);
}

TEST(Shard, TheDestructorStopsARunningShard) {
  std::atomic<bool> ran = false;
  {
    Shard shard("t");
    shard.start();
    shard.post([&] { ran = true; });
  }
  EXPECT_TRUE(ran);
}

TEST(ShardDeathTest, ATaskThatThrowsEndsTheProcessWithALine) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Shard shard("doomed");
        shard.post([] { throw std::runtime_error("boom"); });
        shard.run();
      },
      "task threw.*shard=doomed.*boom");
}

}  // namespace
}  // namespace gantry::runtime
