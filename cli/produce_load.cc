// SPDX-License-Identifier: Apache-2.0
#include "cli/produce_load.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>

#include "base/clock.h"
#include "cli/arrival_mark.h"
#include "client/send_request.h"
#include "net/remoting_client.h"
#include "protocol/message_id.h"
#include "runtime/shard.h"

namespace gantry::cli {
namespace {

using client::QueueAddress;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kGroup = "GANTRY_BENCH_PRODUCER";
// After a refusal or a lost connection, so that the generator does not turn into a storm.
constexpr milliseconds kErrorPause{100};

// Printable bytes that do not compress to nothing.
std::string make_body(std::int64_t bytes, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> letter('a', 'z');
  std::string body(static_cast<std::size_t>(bytes), '\0');
  for (char& c : body) c = static_cast<char>(letter(random));
  return body;
}

protocol::UniqueIdGenerator make_ids(std::uint32_t random) {
  protocol::RecordHost host;
  host.ip[0] = 127;
  host.ip[3] = 1;
  return {host, static_cast<std::uint32_t>(::getpid()), random};
}

}  // namespace

// How many senders still have something to do. Shared by the main thread and the shards.
class ProduceLoad::Busy {
 public:
  explicit Busy(int senders) : senders_(senders) {}

  void one_less() {
    {
      const std::lock_guard lock(mutex_);
      --senders_;
    }
    changed_.notify_all();
  }

  bool wait(const std::stop_token& stop, Clock::time_point until) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, stop, until, [this] { return senders_ == 0; });
    return senders_ == 0;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int senders_;
};

// One connection to each broker. Lives on the worker's shard.
class ProduceLoad::Sender {
 public:
  Sender(runtime::Shard& shard, const ProduceLoadOptions& options, LoadStats& stats, Busy& busy,
         std::int64_t count, std::uint32_t random, std::vector<QueueAddress> queues)
      : shard_(shard),
        options_(options),
        stats_(stats),
        busy_(busy),
        left_(options.count > 0 ? count : INT64_MAX),
        random_(random),
        queues_(std::move(queues), random),
        ids_(make_ids(random)),
        client_(std::make_unique<net::RemotingClient>(shard, nullptr)),
        period_(options.rate > 0
                    ? std::chrono::duration_cast<Clock::duration>(
                          std::chrono::duration<double>(options.connections / options.rate))
                    : Clock::duration{}) {
    message_.topic = options.topic;
    message_.body = make_body(options.body_bytes, random);
    if (!options.mark_prefix.empty()) message_.properties.emplace_back(kArrivalMark, "");
  }

  ~Sender() {
    // The client's end answers what is on its way; nobody wants to hear of it.
    ending_ = true;
    client_.reset();
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void start() {
    // Connections with a common rate take turns.
    next_due_ = Clock::now() +
                (period_.count() > 0 ? period_ * (random_ % 1000) / 1000 : Clock::duration{});
    pump();
  }

  void stop() {
    left_ = 0;
    pause_.reset();
    report_if_idle();
  }
  void set_queues(std::vector<QueueAddress> queues) {
    queues_ = client::RoundRobin(std::move(queues), random_);
  }

 private:
  void report_if_idle() {
    if (left_ > 0 || inflight_ > 0 || reported_) return;
    reported_ = true;
    busy_.one_less();
  }

  void pump() {
    report_if_idle();
    const auto now = Clock::now();
    if (now < not_before_) {
      pump_at(not_before_, now);
      return;
    }
    while (left_ > 0 && inflight_ < options_.inflight) {
      if (period_.count() == 0) {
        send(Clock::now());
        continue;
      }
      if (next_due_ > now) {
        pump_at(next_due_, now);
        return;
      }
      // The latency of a message counts from when it was due: a slow broker does not get fewer.
      send(next_due_);
      next_due_ += period_;
    }
  }

  void pump_at(Clock::time_point when, Clock::time_point now) {
    pause_ = shard_.after(std::chrono::ceil<milliseconds>(when - now), [this] { pump(); });
  }

  void send(Clock::time_point begin) {
    --left_;
    ++inflight_;
    if (!options_.mark_prefix.empty()) {
      message_.properties.front().second = arrival_mark(options_.mark_prefix, begin);
    }
    const QueueAddress& target = queues_.next();
    const std::int64_t now_ms = system_clock().wall_ms();
    const auto properties = client::property_text(message_, ids_.next(now_ms));
    client_->call(target.address,
                  client::send_request(message_, *properties, target.queue, kGroup, now_ms),
                  options_.timeout,
                  [this, begin, queue = target.queue,
                   address = target.address](Result<protocol::Command> answer) {
                    on_answer(begin, queue, address, std::move(answer));
                  });
  }

  void on_answer(Clock::time_point begin, const protocol::MessageQueue& queue,
                 const std::string& address, Result<protocol::Command> answer) {
    if (ending_) return;
    --inflight_;
    auto receipt = answer ? client::parse_send_answer(*answer, queue, "broker " + address)
                          : Result<client::SendReceipt>(std::unexpected(answer.error()));
    if (receipt) {
      stats_.latency.record(std::chrono::duration_cast<microseconds>(Clock::now() - begin));
      ++stats_.messages;
      stats_.bytes += options_.body_bytes;
    } else {
      stats_.count_error(receipt.error().message);
      not_before_ = Clock::now() + kErrorPause;
    }
    pump();
  }

  runtime::Shard& shard_;
  const ProduceLoadOptions& options_;
  LoadStats& stats_;
  Busy& busy_;
  std::int64_t left_;
  const std::uint32_t random_;
  client::RoundRobin queues_;
  protocol::UniqueIdGenerator ids_;
  std::unique_ptr<net::RemotingClient> client_;
  const Clock::duration period_;
  client::OutgoingMessage message_;
  int inflight_ = 0;
  bool ending_ = false;
  bool reported_ = false;
  Clock::time_point next_due_;
  Clock::time_point not_before_;
  std::unique_ptr<runtime::Timer> pause_;
};

class ProduceLoad::Worker {
 public:
  Worker(int number, const ProduceLoadOptions& options, Busy& busy,
         const std::vector<QueueAddress>& queues)
      : options_(options), shard_(fmt::format("produce-{}", number)) {
    std::random_device random;
    for (int i = number; i < options.connections; i += options.threads) {
      const std::int64_t count =
          options.count / options.connections + (i < options.count % options.connections ? 1 : 0);
      senders_.push_back(
          std::make_unique<Sender>(shard_, options_, stats_, busy, count, random(), queues));
    }
    shard_.post([this] {
      for (auto& sender : senders_) sender->start();
    });
    shard_.start();
  }

  ~Worker() {
    shard_.post([this] { senders_.clear(); });
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

  void set_queues(const std::vector<QueueAddress>& queues) {
    shard_.post([this, queues] {
      for (auto& sender : senders_) sender->set_queues(queues);
    });
  }

  void stop_sending() {
    shard_.post([this] {
      for (auto& sender : senders_) sender->stop();
    });
  }

 private:
  const ProduceLoadOptions options_;
  runtime::Shard shard_;
  LoadStats stats_;
  std::vector<std::unique_ptr<Sender>> senders_;
};

ProduceLoad::ProduceLoad(ProduceLoadOptions options, std::vector<QueueAddress> queues)
    : timeout_(options.timeout), busy_(std::make_unique<Busy>(options.connections)) {
  options.threads = std::clamp(options.threads, 1, options.connections);
  for (int i = 0; i < options.threads; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, options, *busy_, queues));
  }
}

ProduceLoad::~ProduceLoad() = default;

LoadStats ProduceLoad::take_stats() {
  LoadStats stats;
  for (auto& worker : workers_) worker->take_stats(stats);
  return stats;
}

void ProduceLoad::set_queues(const std::vector<QueueAddress>& queues) {
  for (auto& worker : workers_) worker->set_queues(queues);
}

void ProduceLoad::finish() {
  for (auto& worker : workers_) worker->stop_sending();
  busy_->wait({}, Clock::now() + timeout_ + std::chrono::seconds(1));
}

bool ProduceLoad::wait_done(const std::stop_token& stop, Clock::time_point until) {
  return busy_->wait(stop, until);
}

}  // namespace gantry::cli
