// SPDX-License-Identifier: Apache-2.0
// What code that lives on a shard may ask of it: tasks, timers, turns and workers. Implemented by
// Shard (a thread with Boost.Asio's event loop) and by the simulator (virtual time, one thread).
// Code below the sockets (log, Raft, state, stores) uses only this.
//
// Turns: the loop works in turns (handlers that were ready together). Code that gathers work during
// a turn (the log its appends, a connection its answers) registers a TurnHook once per turn; the
// hooks run after the ready handlers, in the order of their phase, so that one pwritev and one
// writev serve the whole batch.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace gantry::runtime {

class TurnHook {
 public:
  enum class Phase : std::uint8_t { kLog = 0, kCommit = 1, kNet = 2 };
  explicit TurnHook(Phase phase) : phase_(phase) {}
  virtual ~TurnHook() = default;
  TurnHook(const TurnHook&) = delete;
  TurnHook& operator=(const TurnHook&) = delete;
  virtual void on_turn_end() = 0;

 private:
  friend class TurnHooks;
  Phase phase_;
  bool scheduled_ = false;
};

// A running timer; destroying or cancelling it guarantees that its function does not run again.
// Belongs to the shard that made it.
class Timer {
 public:
  virtual ~Timer() = default;
  virtual void cancel() = 0;
};

// Runs tasks that wait (syncs, allocation, cold reads) one after the other, in order, so that no
// shard ever does. Its destructor runs what is queued before it returns.
class TaskRunner {
 public:
  using Task = std::move_only_function<void()>;
  virtual ~TaskRunner() = default;
  virtual void post(Task task) = 0;  // any thread
};

class Loop {
 public:
  using Task = std::move_only_function<void()>;
  virtual ~Loop() = default;

  // Any thread: runs `task` on the shard, never inline.
  virtual void post(Task task) = 0;
  virtual bool on_shard() const = 0;

  // Shard only. one-shot after `delay`; or every `period`, first after one period.
  virtual std::unique_ptr<Timer> after(std::chrono::milliseconds delay, Task task) = 0;
  virtual std::unique_ptr<Timer> every(std::chrono::milliseconds period, Task task) = 0;

  // Shard only. Runs hook.on_turn_end() once at the end of this turn; repeated calls in one turn
  // are one. A hook may schedule hooks of the same or a later phase for the same turn end.
  virtual void schedule(TurnHook& hook) = 0;
  // Shard only; must be called before a scheduled hook is destroyed.
  virtual void unschedule(TurnHook& hook) = 0;

  // A thread of its own for tasks that wait.
  virtual std::unique_ptr<TaskRunner> make_worker(const std::string& name) = 0;
};

}  // namespace gantry::runtime
