// SPDX-License-Identifier: Apache-2.0
#include "broker/http/leadership_board.h"

#include <fmt/core.h>

#include <utility>

namespace gantry::broker {

std::string Leadership::state() const {
  return fmt::format("{}-{}-{}", term, leading ? "leading" : "following",
                     leader.empty() ? "nobody" : leader);
}

void LeadershipBoard::publish(Leadership now) {
  {
    const std::lock_guard lock(mutex_);
    if (now_ == now) return;
    now_ = std::move(now);
  }
  changed_.notify_all();
}

void LeadershipBoard::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

Leadership LeadershipBoard::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

Leadership LeadershipBoard::wait(std::string_view known, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  if (waiting_ >= waiting_max_) return now_;
  ++waiting_;
  changed_.wait_for(lock, timeout, [&] { return closed_ || now_.state() != known; });
  --waiting_;
  return now_;
}

}  // namespace gantry::broker
