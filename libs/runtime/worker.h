// SPDX-License-Identifier: Apache-2.0
// The TaskRunner of a real loop: one thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "runtime/loop.h"

namespace gantry::runtime {

class Worker final : public TaskRunner {
 public:
  explicit Worker(std::string name);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void post(Task task) override;

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
