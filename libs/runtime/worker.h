// SPDX-License-Identifier: Apache-2.0
// One thread for work that waits (syncs of derived files, allocation of the next log file), so that
// no shard ever does. Tasks run one after the other, in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace gantry::runtime {

class Worker {
 public:
  using Task = std::move_only_function<void()>;

  explicit Worker(std::string name);
  ~Worker();  // runs what is queued, then joins
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void post(Task task);  // any thread

 private:
  void run();

  const std::string name_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace gantry::runtime
