// SPDX-License-Identifier: Apache-2.0
// A shard is one thread with one event loop. Every object of the data path belongs to exactly one
// shard and is only touched there; other threads reach it through post(). Boost.Asio stays behind
// this header.
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

namespace boost::asio {
class io_context;
}

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
  friend class Shard;
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

class Shard {
 public:
  using Task = std::move_only_function<void()>;

  explicit Shard(std::string name);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Runs the loop on a new thread named `name` / on the calling thread until stop().
  void start();
  void run();
  // Any thread. Ends the loop after the handlers that are ready now.
  void stop();
  // Joins the thread of start().
  void join();

  // Any thread: runs `task` on the shard, never inline.
  void post(Task task);
  // Any thread but the shard's own: runs `task` on the shard and waits for it.
  // False (and nothing ran or will run) when the loop has ended or `timeout` passed first.
  bool call(Task task, std::chrono::milliseconds timeout = std::chrono::seconds(5));
  bool on_shard() const;

  // Shard only. one-shot after `delay`; or every `period`, first after one period.
  std::unique_ptr<Timer> after(std::chrono::milliseconds delay, Task task);
  std::unique_ptr<Timer> every(std::chrono::milliseconds period, Task task);

  // Shard only. Runs hook.on_turn_end() once at the end of this turn; repeated calls in one turn
  // are one. A hook may schedule hooks of the same or a later phase for the same turn end.
  void schedule(TurnHook& hook);
  // Shard only; must be called before a scheduled hook is destroyed.
  void unschedule(TurnHook& hook);

  boost::asio::io_context& io();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::runtime
