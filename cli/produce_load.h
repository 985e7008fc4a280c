// SPDX-License-Identifier: Apache-2.0
// Sends messages as fast as asked for: several connections, each with many requests on their way.
// Runs on shards of its own; the main thread starts it, takes the counts and stops it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/load_stats.h"
#include "client/topic_queues.h"

namespace gantry::cli {

struct ProduceLoadOptions {
  std::string topic;
  std::int64_t body_bytes = 1024;
  int threads = 1;
  int connections = 4;
  int inflight = 32;        // of each connection
  std::int64_t count = 0;   // of all connections; 0: until stopped
  double rate = 0;          // messages each second over all connections; 0: no limit
  std::string mark_prefix;  // not empty: messages carry when they were sent, see arrival_mark.h
  std::chrono::milliseconds timeout{5000};
};

class ProduceLoad {
 public:
  // `queues` must not be empty. Starts at once.
  ProduceLoad(ProduceLoadOptions options, std::vector<client::QueueAddress> queues);
  ~ProduceLoad();
  ProduceLoad(const ProduceLoad&) = delete;
  ProduceLoad& operator=(const ProduceLoad&) = delete;

  // What was counted since the last call.
  LoadStats take_stats();
  // Leaders may have changed.
  void set_queues(const std::vector<client::QueueAddress>& queues);
  // Sends no more and waits for the answers still to come, at most for the time limit of a request.
  void finish();
  // Waits until all messages of `count` have been answered; false at `until` or when stopped.
  bool wait_done(const std::stop_token& stop, std::chrono::steady_clock::time_point until);

 private:
  class Busy;
  class Sender;
  class Worker;
  const std::chrono::milliseconds timeout_;
  std::unique_ptr<Busy> busy_;  // before workers_, who use it to their end
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace gantry::cli
