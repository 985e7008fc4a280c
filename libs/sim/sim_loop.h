// SPDX-License-Identifier: Apache-2.0
// The event loop and the workers of one simulated process. A process can be killed (nothing of it
// runs any more) and paused (what is due runs when it goes on, late).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/loop.h"
#include "runtime/turn_hooks.h"
#include "sim/world.h"

namespace gantry::sim {

// Thrown where a process would end itself; caught by its loop, never by the process.
struct ProcessEnded {
  std::string last_words;
};

class SimLoop final : public runtime::Loop {
 public:
  struct Delays {
    std::int64_t worker_us = 200;     // a task of a worker takes up to this long
    std::int64_t slow_worker_us = 0;  // now and then this long (a hanging disk)
    std::int64_t slow_one_in = 0;
  };

  // `ended` runs when the process has ended itself, outside of its code.
  SimLoop(World& world, std::function<void(const std::string&)> ended);
  ~SimLoop() override;

  // Nothing of the process runs from now on.
  void kill() { *alive_ = false; }
  void pause(std::int64_t for_us);
  bool alive() const { return *alive_; }
  Delays delays;

  // Runs `task` as the process's own code: faults end the process.
  void enter(Task& task);

  void post(Task task) override;
  bool on_shard() const override { return true; }
  std::unique_ptr<runtime::Timer> after(std::chrono::milliseconds delay, Task task) override;
  std::unique_ptr<runtime::Timer> every(std::chrono::milliseconds period, Task task) override;
  void schedule(runtime::TurnHook& hook) override;
  void unschedule(runtime::TurnHook& hook) override { hooks_.remove(hook); }
  std::unique_ptr<runtime::TaskRunner> make_worker(const std::string& name) override;

 private:
  class SimTimer;
  class SimWorker;
  void run_at(std::int64_t delay_us, std::shared_ptr<Task> task);

  World& world_;
  const std::function<void(const std::string&)> ended_;
  runtime::TurnHooks hooks_;
  bool turn_end_due_ = false;
  std::int64_t paused_until_us_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::sim
