// SPDX-License-Identifier: Apache-2.0
// Pulls from many queues at once with long polling: one pull is always on its way for each queue,
// unless its owner holds the queue back. Takes part in no rebalancing and commits nothing. Lives on
// one shard, callbacks included.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "client/pull_request.h"
#include "client/topic_queues.h"
#include "protocol/message_queue.h"

namespace gantry::net {
class RemotingClient;
}
namespace gantry::runtime {
class Shard;
class Timer;
}  // namespace gantry::runtime

namespace gantry::client {

struct PulledBatch {
  protocol::MessageQueue queue;
  std::string records;  // see for_each_record()
  PullAnswer answer;
  std::chrono::microseconds took{0};
};

class PullConsumer {
 public:
  // After a batch: pull on at once, or wait for resume(). Held queues are how an owner that cannot
  // keep up slows the pulling down.
  enum class Next : std::uint8_t { kPull, kHold };

  struct Events {
    std::function<Next(PulledBatch batch)> on_batch;
    // A pull failed; it is tried again after `retry_delay`.
    std::function<void(const QueueAddress& queue, const Error& error)> on_error;
    // The queue has been read up to its `stop_at` and is pulled no more.
    std::function<void(const protocol::MessageQueue& queue)> on_end;
  };

  struct Options {
    PullOptions pull;
    std::chrono::milliseconds retry_delay{1000};
    // Beyond the time the broker may hold the pull.
    std::chrono::milliseconds answer_timeout{10000};
  };

  PullConsumer(runtime::Shard& shard, Options options, Events events);
  ~PullConsumer();
  PullConsumer(const PullConsumer&) = delete;
  PullConsumer& operator=(const PullConsumer&) = delete;

  // Starts to pull. A queue that is known already only gets its broker's new address.
  // `stop_at`: nothing at this offset or beyond is of interest.
  void add(const QueueAddress& queue, std::int64_t offset,
           std::optional<std::int64_t> stop_at = {});
  bool has(const protocol::MessageQueue& queue) const { return queues_.contains(queue); }
  void resume(const protocol::MessageQueue& queue);

 private:
  struct Queue {
    QueueAddress at;
    std::int64_t offset = 0;
    std::optional<std::int64_t> stop_at;
    bool ended = false;
    std::unique_ptr<runtime::Timer> pause;
  };

  void pull(Queue& queue);
  void pull_later(Queue& queue, std::chrono::milliseconds delay);
  void on_answer(Queue& queue, Result<protocol::Command> answer, std::chrono::microseconds took);
  void go_on(Queue& queue, const PullAnswer& answer, std::chrono::microseconds took);
  bool end_if_done(Queue& queue);

  runtime::Shard& shard_;
  const Options options_;
  Events events_;
  std::map<protocol::MessageQueue, Queue> queues_;
  std::unique_ptr<net::RemotingClient> client_;  // after queues_: its last replies refer to them
};

}  // namespace gantry::client
