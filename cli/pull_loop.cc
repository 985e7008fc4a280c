// SPDX-License-Identifier: Apache-2.0
#include "cli/pull_loop.h"

namespace gantry::cli {

using client::PullConsumer;

PullLoop::PullLoop(PullConsumer::Options options) {
  PullConsumer::Events events;
  events.on_batch = [this](client::PulledBatch batch) {
    push(std::move(batch));
    return PullConsumer::Next::kHold;
  };
  events.on_error = [this](const client::QueueAddress& queue, const Error& error) {
    push(Failed{queue, error});
  };
  events.on_end = [this](const protocol::MessageQueue& queue) { push(Ended{queue}); };
  consumer_ = std::make_unique<PullConsumer>(shard_, std::move(options), std::move(events));
  shard_.start();
}

PullLoop::~PullLoop() {
  shard_.post([this] { consumer_.reset(); });
  shard_.stop();
  shard_.join();
}

void PullLoop::add(const client::QueueAddress& queue, std::int64_t offset,
                   std::optional<std::int64_t> stop_at) {
  shard_.post([this, queue, offset, stop_at] { consumer_->add(queue, offset, stop_at); });
}

void PullLoop::resume(const protocol::MessageQueue& queue) {
  shard_.post([this, queue] { consumer_->resume(queue); });
}

void PullLoop::push(Event event) {
  {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  arrived_.notify_one();
}

std::optional<PullLoop::Event> PullLoop::next(const std::stop_token& stop,
                                              std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  arrived_.wait_until(lock, stop, until, [this] { return !events_.empty(); });
  if (stop.stop_requested() || events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

}  // namespace gantry::cli
