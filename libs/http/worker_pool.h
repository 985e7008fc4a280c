// SPDX-License-Identifier: Apache-2.0
// The threads of an HttpServer. Unlike an ordinary pool its queue has a limit: when it is full,
// `run` waits, so that accepting pauses and further connections wait in the kernel's backlog.
// Private to libs/http.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace gantry::http {

class WorkerPool {
 public:
  WorkerPool(std::size_t threads, std::size_t queued_max);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void run(std::function<void()> job);

  // Finishes all jobs, queued ones too, and joins the threads. Idempotent.
  void shutdown();

 private:
  void work();

  const std::size_t queued_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  bool stopping_ = false;                   // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace gantry::http
