// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_loop.h"

#include <algorithm>
#include <deque>

namespace gantry::sim {

namespace {
constexpr std::int64_t kTurnUs = 20;  // tasks this close together share a turn
}

class SimLoop::SimTimer final : public runtime::Timer {
 public:
  struct State {
    Task task;
    std::int64_t period_us = 0;
    bool active = true;
  };

  SimTimer(SimLoop& loop, std::int64_t delay_us, std::int64_t period_us, Task task)
      : state_(std::make_shared<State>()) {
    state_->task = std::move(task);
    state_->period_us = period_us;
    arm(loop, state_, delay_us);
  }
  ~SimTimer() override { SimTimer::cancel(); }
  void cancel() override { state_->active = false; }

 private:
  static void arm(SimLoop& loop, const std::shared_ptr<State>& state, std::int64_t delay_us) {
    loop.run_at(delay_us, std::make_shared<Task>([&loop, state] {
                  if (!state->active) return;
                  if (state->period_us > 0) arm(loop, state, state->period_us);
                  if (state->period_us == 0) state->active = false;
                  const auto keep = state;  // the task may destroy its timer
                  keep->task();
                }));
  }
  std::shared_ptr<State> state_;
};

class SimLoop::SimWorker final : public runtime::TaskRunner {
 public:
  SimWorker(SimLoop& loop) : loop_(loop), queue_(std::make_shared<Queue>()) {}
  ~SimWorker() override {
    queue_->closed = true;
    if (!loop_.alive()) return;  // killed: what was queued never ran
    while (!queue_->tasks.empty()) {
      Task task = std::move(queue_->tasks.front());
      queue_->tasks.pop_front();
      task();
    }
  }

  void post(Task task) override {
    queue_->tasks.push_back(std::move(task));
    if (queue_->tasks.size() == 1) next();
  }

 private:
  struct Queue {
    std::deque<Task> tasks;
    bool closed = false;
  };

  void next() {
    World& world = loop_.world_;
    std::int64_t delay = 1 + world.random(loop_.delays.worker_us);
    if (loop_.delays.slow_one_in > 0 && world.one_in(loop_.delays.slow_one_in)) {
      delay += world.random(loop_.delays.slow_worker_us);
    }
    loop_.run_at(delay, std::make_shared<Task>([this, queue = queue_] {
                   if (queue->closed || queue->tasks.empty()) return;
                   Task task = std::move(queue->tasks.front());
                   task();
                   if (queue->closed) return;
                   queue->tasks.pop_front();
                   if (!queue->tasks.empty()) next();
                 }));
  }

  SimLoop& loop_;
  std::shared_ptr<Queue> queue_;
};

SimLoop::SimLoop(World& world, std::function<void(const std::string&)> ended)
    : world_(world), ended_(std::move(ended)) {}

SimLoop::~SimLoop() { *alive_ = false; }

void SimLoop::pause(std::int64_t for_us) {
  paused_until_us_ = std::max(paused_until_us_, world_.now_us() + for_us);
}

void SimLoop::enter(Task& task) {
  try {
    task();
  } catch (const ProcessEnded& end) {
    kill();
    ended_(end.last_words);
  }
}

void SimLoop::run_at(std::int64_t delay_us, std::shared_ptr<Task> task) {
  world_.at(delay_us, [this, alive = alive_, task = std::move(task)] {
    if (!*alive) return;
    if (world_.now_us() < paused_until_us_) return run_at(paused_until_us_ - world_.now_us(), task);
    enter(*task);
  });
}

void SimLoop::post(Task task) { run_at(0, std::make_shared<Task>(std::move(task))); }

std::unique_ptr<runtime::Timer> SimLoop::after(std::chrono::milliseconds delay, Task task) {
  return std::make_unique<SimTimer>(*this, delay.count() * 1000, 0, std::move(task));
}

std::unique_ptr<runtime::Timer> SimLoop::every(std::chrono::milliseconds period, Task task) {
  const std::int64_t us = std::max<std::int64_t>(period.count(), 1) * 1000;
  return std::make_unique<SimTimer>(*this, us, us, std::move(task));
}

void SimLoop::schedule(runtime::TurnHook& hook) {
  if (!hooks_.add(hook) || turn_end_due_) return;
  turn_end_due_ = true;
  run_at(world_.random(kTurnUs), std::make_shared<Task>([this] {
           turn_end_due_ = false;
           hooks_.run();
         }));
}

std::unique_ptr<runtime::TaskRunner> SimLoop::make_worker(const std::string& /*name*/) {
  return std::make_unique<SimWorker>(*this);
}

}  // namespace gantry::sim
