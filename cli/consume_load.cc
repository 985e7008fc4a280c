// SPDX-License-Identifier: Apache-2.0
#include "cli/consume_load.h"

#include <fmt/core.h>

#include <algorithm>

#include "cli/arrival_mark.h"
#include "client/message.h"
#include "client/pull_consumer.h"
#include "protocol/properties.h"
#include "runtime/shard.h"

namespace gantry::cli {

using client::PullConsumer;
using Clock = std::chrono::steady_clock;

class ConsumeLoad::Worker {
 public:
  Worker(int number, const ConsumeLoadOptions& options, Progress& progress,
         const std::vector<Start>& queues)
      : mark_prefix_(options.mark_prefix),
        progress_(progress),
        shard_(fmt::format("consume-{}", number)) {
    for (int i = number; i < options.connections; i += options.threads) {
      PullConsumer::Options consumer_options;
      consumer_options.pull = options.pull;
      consumers_.push_back(std::make_unique<PullConsumer>(shard_, consumer_options, events()));
    }
    shard_.post([this, queues, number, options] { start(queues, number, options); });
    shard_.start();
  }

  ~Worker() {
    shard_.post([this] { consumers_.clear(); });
    shard_.stop();
    shard_.join();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void take_stats(LoadStats& into) {
    shard_.call([&] {
      into.merge(stats_);
      stats_ = {};
    });
  }

 private:
  void start(const std::vector<Start>& queues, int number, const ConsumeLoadOptions& options) {
    const auto connections = static_cast<std::size_t>(options.connections);
    const auto threads = static_cast<std::size_t>(options.threads);
    for (std::size_t i = 0; i < queues.size(); ++i) {
      const std::size_t connection = i % connections;
      if (connection % threads != static_cast<std::size_t>(number)) continue;
      consumers_[connection / threads]->add(queues[i].queue, queues[i].offset, queues[i].stop_at);
    }
  }

  PullConsumer::Events events() {
    PullConsumer::Events events;
    events.on_batch = [this](client::PulledBatch batch) {
      count(batch);
      return PullConsumer::Next::kPull;
    };
    events.on_error = [this](const client::QueueAddress&, const Error& error) {
      stats_.count_error(error.message);
    };
    events.on_end = [this](const protocol::MessageQueue&) {
      {
        const std::lock_guard lock(progress_.mutex);
        --progress_.queues_left;
      }
      progress_.changed.notify_all();
    };
    return events;
  }

  void count(const client::PulledBatch& batch) {
    const auto now = Clock::now();
    std::int64_t messages = 0;
    const auto read =
        client::for_each_record(batch.records, [&](const protocol::RecordView& record) {
          if (!mark_prefix_.empty()) {
            const auto mark = protocol::find_property(record.properties, kArrivalMark);
            const auto since = mark ? since_mark(mark_prefix_, *mark, now) : std::nullopt;
            if (!since) return;  // a message of somebody else
            stats_.end_to_end.record(*since);
          }
          ++messages;
          stats_.bytes += static_cast<std::int64_t>(record.body.size());
        });
    if (!read) stats_.count_error(read.error().message);
    stats_.messages += messages;
    stats_.latency.record(batch.took);
    {
      const std::lock_guard lock(progress_.mutex);
      progress_.messages += messages;
    }
    progress_.changed.notify_all();
  }

  const std::string mark_prefix_;
  Progress& progress_;
  runtime::Shard shard_;
  LoadStats stats_;
  std::vector<std::unique_ptr<PullConsumer>> consumers_;
};

ConsumeLoad::ConsumeLoad(ConsumeLoadOptions options, const std::vector<Start>& queues)
    : count_(options.count) {
  progress_.queues_left = queues.size();
  options.connections = std::clamp(options.connections, 1, static_cast<int>(queues.size()));
  options.threads = std::clamp(options.threads, 1, options.connections);
  for (int i = 0; i < options.threads; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, options, progress_, queues));
  }
}

ConsumeLoad::~ConsumeLoad() = default;

LoadStats ConsumeLoad::take_stats() {
  LoadStats stats;
  for (auto& worker : workers_) worker->take_stats(stats);
  return stats;
}

bool ConsumeLoad::wait_done(const std::stop_token& stop, Clock::time_point until) {
  std::unique_lock lock(progress_.mutex);
  const auto done = [this] {
    return (count_ > 0 && progress_.messages >= count_) || progress_.queues_left == 0;
  };
  progress_.changed.wait_until(lock, stop, until, done);
  return done();
}

bool ConsumeLoad::wait_count(std::int64_t count, const std::stop_token& stop,
                             Clock::time_point until) {
  std::unique_lock lock(progress_.mutex);
  const auto done = [&] { return progress_.messages >= count; };
  progress_.changed.wait_until(lock, stop, until, done);
  return done();
}

}  // namespace gantry::cli
