// SPDX-License-Identifier: Apache-2.0
// Helpers of the shard tests. Waiting is for events; the limit is only there to fail, not to pass.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "runtime/shard.h"

namespace gantry::runtime {

inline constexpr std::chrono::seconds kPatience{30};

class Event {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  // False when nothing came in a time in which everything should have.
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

class FunctionHook final : public TurnHook {
 public:
  FunctionHook(Phase phase, std::function<void()> function)
      : TurnHook(phase), function_(std::move(function)) {}
  void on_turn_end() override { function_(); }

 private:
  std::function<void()> function_;
};

// Calls `function` when it is destroyed.
class OnDestroy {
 public:
  explicit OnDestroy(std::function<void()> function) : function_(std::move(function)) {}
  ~OnDestroy() {
    if (function_) function_();
  }
  OnDestroy(OnDestroy&& other) noexcept : function_(std::exchange(other.function_, nullptr)) {}
  OnDestroy(const OnDestroy&) = delete;
  OnDestroy& operator=(const OnDestroy&) = delete;
  OnDestroy& operator=(OnDestroy&&) = delete;

 private:
  std::function<void()> function_;
};

}  // namespace gantry::runtime
