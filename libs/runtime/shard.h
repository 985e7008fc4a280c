// SPDX-License-Identifier: Apache-2.0
// A shard is one thread with one event loop. Every object of the data path belongs to exactly one
// shard and is only touched there; other threads reach it through post(). Boost.Asio stays behind
// this header.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "runtime/loop.h"

namespace boost::asio {
class io_context;
}

namespace gantry::runtime {

class Shard final : public Loop {
 public:
  using Task = Loop::Task;

  explicit Shard(std::string name);
  ~Shard() override;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Runs the loop on a new thread named `name` / on the calling thread until stop().
  void start();
  void run();
  // Any thread. Ends the loop after the handlers that are ready now.
  void stop();
  // Joins the thread of start().
  void join();

  // Any thread but the shard's own: runs `task` on the shard and waits for it.
  // False (and nothing ran or will run) when the loop has ended or `timeout` passed first.
  bool call(Task task, std::chrono::milliseconds timeout = std::chrono::seconds(5));

  void post(Task task) override;
  bool on_shard() const override;
  std::unique_ptr<Timer> after(std::chrono::milliseconds delay, Task task) override;
  std::unique_ptr<Timer> every(std::chrono::milliseconds period, Task task) override;
  void schedule(TurnHook& hook) override;
  void unschedule(TurnHook& hook) override;
  std::unique_ptr<TaskRunner> make_worker(const std::string& name) override;

  boost::asio::io_context& io();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::runtime
