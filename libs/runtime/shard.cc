// SPDX-License-Identifier: Apache-2.0
#include "runtime/shard.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "log/log.h"
#include "runtime/time_slice.h"
#include "runtime/timer.h"
#include "runtime/turn_hooks.h"
#include "runtime/worker.h"

namespace gantry::runtime {
namespace {

constexpr Logger kLog("runtime");

// A shard wakes up often and for a short while, and requests wait until it does. With this slice,
// the shortest that the kernel grants, it need not wait behind a thread that computes.
constexpr std::chrono::microseconds kTimeSlice{100};

thread_local const void* t_running_shard = nullptr;

// What a caller of call() and the shard share. The caller may leave before the shard gets to it.
struct PendingCall {
  enum class State { kQueued, kRunning, kDone, kDropped };

  std::mutex mutex;
  std::condition_variable changed;
  State state = State::kQueued;
  Shard::Task task;

  void run() {
    {
      const std::lock_guard lock(mutex);
      if (state != State::kQueued) return;
      state = State::kRunning;
    }
    task();
    task = nullptr;  // on the shard, before the caller goes on
    set(State::kDone);
  }

  void set(State to) {
    const std::lock_guard lock(mutex);
    state = to;
    changed.notify_all();
  }

  // For the destructor of a mailbox entry that never ran.
  void drop() {
    const std::lock_guard lock(mutex);
    if (state != State::kQueued) return;
    state = State::kDropped;
    changed.notify_all();
  }

  // True when the task ran to its end.
  bool wait(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex);
    const auto left_queue = [this] { return state != State::kQueued; };
    if (!changed.wait_for(lock, timeout, left_queue)) state = State::kDropped;
    changed.wait(lock, [this] { return state != State::kRunning; });
    return state == State::kDone;
  }
};

struct PendingCallEntry {
  explicit PendingCallEntry(std::shared_ptr<PendingCall> c) : call(std::move(c)) {}
  PendingCallEntry(PendingCallEntry&&) = default;
  PendingCallEntry& operator=(PendingCallEntry&&) = delete;
  PendingCallEntry(const PendingCallEntry&) = delete;
  PendingCallEntry& operator=(const PendingCallEntry&) = delete;
  ~PendingCallEntry() {
    if (call) call->drop();
  }
  void operator()() { call->run(); }

  std::shared_ptr<PendingCall> call;
};

}  // namespace

struct Shard::Impl {
  explicit Impl(std::string shard_name) : name(std::move(shard_name)) {}

  void post(Task task);
  void run();
  void stop();
  void drain();
  void end_turn();

  const std::string name;

  std::mutex mailbox_mutex;
  std::vector<Task> mailbox;  // guarded by mailbox_mutex, as the next two
  bool drain_posted = false;
  bool stopping = false;

  // Shard only.
  TurnHooks hooks;
  bool turn_end_posted = false;
  bool in_turn_end = false;
  std::vector<Task> batch;

  // After the rest: handlers that die with the loop may still call post().
  boost::asio::io_context io{1};  // one thread: Asio then hands over locally without a wake-up
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  std::thread thread;
};

void Shard::Impl::post(Task task) {
  {
    const std::lock_guard lock(mailbox_mutex);
    if (stopping) return;  // the parameter's destructor runs in the caller, outside the lock
    mailbox.push_back(std::move(task));
    if (drain_posted) return;
    drain_posted = true;
  }
  boost::asio::post(io, [this] { drain(); });
}

void Shard::Impl::drain() {
  {
    const std::lock_guard lock(mailbox_mutex);
    batch.swap(mailbox);
    drain_posted = false;
  }
  for (Task& task : batch) {
    task();
    task = nullptr;  // what a task holds is released in order, too
  }
  batch.clear();
}

void Shard::Impl::end_turn() {
  turn_end_posted = false;
  in_turn_end = true;
  hooks.run();
  in_turn_end = false;
}

void Shard::Impl::stop() {
  {
    const std::lock_guard lock(mailbox_mutex);
    if (std::exchange(stopping, true)) return;
  }
  boost::asio::post(io, [this] {
    drain();
    end_turn();
    io.stop();
  });
}

void Shard::Impl::run() {
  const void* const outer = std::exchange(t_running_shard, this);
  try {
    io.run();
  } catch (const std::exception& e) {
    kLog.error("task threw, aborting shard={} what={}", name, e.what());
    std::abort();
  } catch (...) {
    kLog.error("task threw, aborting shard={}", name);
    std::abort();
  }
  t_running_shard = outer;
}

Shard::Shard(std::string name) : impl_(std::make_unique<Impl>(std::move(name))) {}

Shard::~Shard() {
  stop();
  join();
  // Tasks of a shard that never ran. They may hold timers, so they go before the loop does.
  std::vector<Task> left;
  {
    const std::lock_guard lock(impl_->mailbox_mutex);
    left.swap(impl_->mailbox);
  }
}

void Shard::start() {
  impl_->thread = std::thread([impl = impl_.get()] {
    set_time_slice(kTimeSlice);
    // The kernel's limit is 15 characters.
    pthread_setname_np(pthread_self(), impl->name.substr(0, 15).c_str());
    impl->run();
  });
}

void Shard::run() { impl_->run(); }

void Shard::stop() { impl_->stop(); }

void Shard::join() {
  if (impl_->thread.joinable()) impl_->thread.join();
}

void Shard::post(Task task) { impl_->post(std::move(task)); }

bool Shard::call(Task task, std::chrono::milliseconds timeout) {
  if (on_shard()) {
    kLog.error("call() on the shard itself would wait for ever, refused shard={}", impl_->name);
    return false;
  }
  auto call = std::make_shared<PendingCall>();
  call->task = std::move(task);
  impl_->post(PendingCallEntry(call));
  const bool done = call->wait(timeout);
  // When it was dropped the shard never touches the task again: what it captured dies here.
  if (!done) call->task = nullptr;
  return done;
}

bool Shard::on_shard() const { return t_running_shard == impl_.get(); }

std::unique_ptr<Timer> Shard::after(std::chrono::milliseconds delay, Task task) {
  return make_timer(impl_->io, delay, std::chrono::milliseconds(0), std::move(task));
}

std::unique_ptr<Timer> Shard::every(std::chrono::milliseconds period, Task task) {
  const auto at_least = std::max(period, std::chrono::milliseconds(1));
  return make_timer(impl_->io, at_least, at_least, std::move(task));
}

void Shard::schedule(TurnHook& hook) {
  if (!impl_->hooks.add(hook)) return;
  if (impl_->turn_end_posted || impl_->in_turn_end) return;
  impl_->turn_end_posted = true;
  boost::asio::post(impl_->io, [impl = impl_.get()] { impl->end_turn(); });
}

void Shard::unschedule(TurnHook& hook) { impl_->hooks.remove(hook); }

std::unique_ptr<TaskRunner> Shard::make_worker(const std::string& name) {
  return std::make_unique<Worker>(name);
}

boost::asio::io_context& Shard::io() { return impl_->io; }

}  // namespace gantry::runtime
