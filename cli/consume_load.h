// SPDX-License-Identifier: Apache-2.0
// Pulls messages as fast as they come and counts them. Runs on shards of its own; the main thread
// starts it and takes the counts.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/load_stats.h"
#include "client/pull_request.h"
#include "client/topic_queues.h"

namespace gantry::cli {

struct ConsumeLoadOptions {
  client::PullOptions pull;
  int threads = 1;
  int connections = 4;
  std::int64_t count = 0;   // done after that many messages; 0: no limit
  std::string mark_prefix;  // not empty: measures end to end, see arrival_mark.h
};

class ConsumeLoad {
 public:
  struct Start {
    client::QueueAddress queue;
    std::int64_t offset = 0;
    std::optional<std::int64_t> stop_at;  // done when all queues have come here
  };

  // `queues` must not be empty. Starts at once.
  ConsumeLoad(ConsumeLoadOptions options, const std::vector<Start>& queues);
  ~ConsumeLoad();
  ConsumeLoad(const ConsumeLoad&) = delete;
  ConsumeLoad& operator=(const ConsumeLoad&) = delete;

  // What was counted since the last call.
  LoadStats take_stats();
  // Waits until `count` messages have come, or every queue is at its end; false at `until` or when
  // stopped.
  bool wait_done(const std::stop_token& stop, std::chrono::steady_clock::time_point until);
  // The same for a number that is known only now (the messages that were sent).
  bool wait_count(std::int64_t count, const std::stop_token& stop,
                  std::chrono::steady_clock::time_point until);

 private:
  // Shared by the main thread and the shards.
  struct Progress {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::int64_t messages = 0;
    std::size_t queues_left = 0;
  };
  class Worker;
  const std::int64_t count_;
  Progress progress_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace gantry::cli
