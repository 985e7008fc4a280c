// SPDX-License-Identifier: Apache-2.0
#include "runtime/timer.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace gantry::runtime {
namespace {

using boost::asio::steady_timer;

// Shared with the pending handler, because Asio cannot take back a handler that is already queued:
// `active` decides, not the handler's error code.
struct State {
  explicit State(boost::asio::io_context& io) : timer(io) {}
  steady_timer timer;
  Shard::Task task;
  std::chrono::milliseconds period{0};
  bool active = true;
  bool running = false;
};

void arm(std::shared_ptr<State> state);

void fire(const std::shared_ptr<State>& state) {
  if (!state->active) return;
  if (state->period.count() == 0) {
    state->active = false;
    Shard::Task task = std::move(state->task);
    task();
    return;
  }
  state->running = true;
  state->task();
  state->running = false;
  if (!state->active) {
    state->task = nullptr;  // cancelled by its own function
    return;
  }
  // A late timer continues from now on instead of catching up in a burst.
  const auto next =
      std::max(state->timer.expiry(), steady_timer::clock_type::now() - state->period);
  state->timer.expires_at(next + state->period);
  arm(state);
}

void arm(std::shared_ptr<State> state) {
  steady_timer& timer = state->timer;
  timer.async_wait([state = std::move(state)](const boost::system::error_code& error) {
    if (!error) fire(state);
  });
}

class AsioTimer final : public Timer {
 public:
  explicit AsioTimer(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~AsioTimer() override { cancel(); }

  void cancel() override {
    if (!state_->active) return;
    state_->active = false;
    state_->timer.cancel();
    if (state_->running) return;  // fire() drops the task when it has returned
    // Moved out first: destroying what the task holds may reach this timer again.
    const Shard::Task dropped = std::move(state_->task);
    state_->task = nullptr;
  }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<Timer> make_timer(boost::asio::io_context& io, std::chrono::milliseconds delay,
                                  std::chrono::milliseconds period, Shard::Task task) {
  auto state = std::make_shared<State>(io);
  state->task = std::move(task);
  state->period = period;
  state->timer.expires_after(std::max(delay, std::chrono::milliseconds(0)));
  arm(state);
  return std::make_unique<AsioTimer>(std::move(state));
}

}  // namespace gantry::runtime
