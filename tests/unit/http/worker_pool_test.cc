// SPDX-License-Identifier: Apache-2.0
#include "http/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <semaphore>
#include <thread>

namespace gantry::http {
namespace {

TEST(WorkerPool, shutdown_finishes_every_job) {
  std::atomic<int> done{0};
  WorkerPool pool(2, 4);
  for (int i = 0; i < 100; ++i) pool.run([&] { ++done; });
  pool.shutdown();
  EXPECT_EQ(done, 100);
  pool.shutdown();
}

TEST(WorkerPool, jobs_run_side_by_side) {
  WorkerPool pool(2, 4);
  std::latch both(2);
  for (int i = 0; i < 2; ++i) pool.run([&] { both.arrive_and_wait(); });
  pool.shutdown();  // hangs if the second job waited for the first
}

TEST(WorkerPool, a_full_queue_makes_run_wait) {
  WorkerPool pool(1, 1);
  std::latch started(1);
  std::binary_semaphore let_finish(0);
  pool.run([&] {
    started.count_down();
    let_finish.acquire();
  });
  started.wait();
  pool.run([] {});  // fills the queue
  std::atomic<bool> released{false};
  std::atomic<bool> third_was_queued_late{false};
  std::jthread producer([&] {
    pool.run([] {});
    third_was_queued_late = released.load();
  });
  released = true;
  let_finish.release();
  producer.join();
  EXPECT_TRUE(third_was_queued_late);
  pool.shutdown();
}

}  // namespace
}  // namespace gantry::http
