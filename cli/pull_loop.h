// SPDX-License-Identifier: Apache-2.0
// A PullConsumer on a shard of its own, seen from the main thread: what it pulls arrives in a
// mailbox that holds at most one batch of each queue. Made, used and destroyed on one thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <variant>

#include "client/pull_consumer.h"
#include "runtime/shard.h"

namespace gantry::cli {

class PullLoop {
 public:
  struct Failed {
    client::QueueAddress queue;
    Error error;
  };
  struct Ended {
    protocol::MessageQueue queue;
  };
  using Event = std::variant<client::PulledBatch, Failed, Ended>;

  explicit PullLoop(client::PullConsumer::Options options);
  ~PullLoop();
  PullLoop(const PullLoop&) = delete;
  PullLoop& operator=(const PullLoop&) = delete;

  // As PullConsumer::add.
  void add(const client::QueueAddress& queue, std::int64_t offset,
           std::optional<std::int64_t> stop_at);
  // After a PulledBatch has been dealt with: pulls the queue on.
  void resume(const protocol::MessageQueue& queue);
  // nullopt at `until`, or when stopped.
  std::optional<Event> next(const std::stop_token& stop,
                            std::chrono::steady_clock::time_point until);

 private:
  void push(Event event);

  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<Event> events_;
  runtime::Shard shard_{"pull"};
  std::unique_ptr<client::PullConsumer> consumer_;  // on shard_
};

}  // namespace gantry::cli
