// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <random>

#include "cli/bench_report.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/consume_load.h"
#include "cli/json_output.h"
#include "cli/places.h"
#include "cli/produce_load.h"
#include "cli/text.h"
#include "cli/wait.h"

namespace gantry::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;
using std::chrono::seconds;

// Every broker has it, with many queues.
constexpr const char* kDefaultTopic = "BenchmarkTest";
constexpr double kDefaultSeconds = 10;

struct BenchOptions {
  std::string topic = kDefaultTopic;
  std::string size = "1k";
  std::string from = "earliest";
  int connections = 4;
  int threads = 1;
  int inflight = 32;
  int batch = 32;
  std::int64_t count = 0;
  double seconds = 0;
  double warmup = 0;
  double rate = 0;
  bool progress = false;
};

Clock::time_point after(Clock::time_point begin, double time) {
  return begin + duration_cast<Clock::duration>(std::chrono::duration<double>(time));
}

// How long the run may last: as asked for, without end when a count ends it.
Clock::time_point deadline(const BenchOptions& options, Clock::time_point begin) {
  if (options.seconds > 0) return after(begin, options.seconds);
  if (options.count > 0) return begin + std::chrono::hours(24);
  return after(begin, kDefaultSeconds);
}

std::expected<std::vector<client::QueueAddress>, Failure> writable(Context& context,
                                                                   const std::string& topic) {
  const auto route = context.route(topic);
  if (!route) return std::unexpected(route.error());
  auto queues = client::writable_queues(topic, *route);
  if (!queues.empty()) return queues;
  return fail(ExitCode::kFailed, fmt::format("topic {} has no writable queue", topic),
              fmt::format("See its permission with: gantry topic describe {}", topic));
}

std::expected<ProduceLoadOptions, Failure> produce_options(const Context& context,
                                                           const BenchOptions& options) {
  const auto bytes = parse_bytes(options.size);
  if (!bytes) return fail(ExitCode::kUsage, "--size: " + bytes.error().message);
  ProduceLoadOptions load;
  load.topic = options.topic;
  load.body_bytes = *bytes;
  load.threads = options.threads;
  load.connections = options.connections;
  load.inflight = options.inflight;
  load.count = options.count;
  load.rate = options.rate;
  load.timeout = std::chrono::milliseconds(context.options.timeout_ms);
  return load;
}

// Runs a load second by second until it is done or its time is over. `wait` waits for the load's
// own end, `take` takes its counts.
template <class Wait, class Take>
void run_seconds(Context& context, const BenchOptions& options, BenchReport& report, Wait&& wait,
                 Take&& take) {
  if (options.warmup > 0) {
    wait(after(Clock::now(), options.warmup));
    take();
  }
  report.begin();
  const auto begin = Clock::now();
  const auto end = deadline(options, begin);
  for (auto tick = begin + seconds(1);; tick += seconds(1)) {
    const bool done = wait(std::min(tick, end));
    const auto now = Clock::now();
    if (done || now >= end || context.env.stop.stop_requested()) return;
    report.add(take());
  }
}

Outcome finish(Context& context, const BenchReport& report) {
  if (context.options.json) {
    print_json(context, report.json());
  } else {
    context.env.out << report.text();
  }
  context.env.out << std::flush;
  return report.outcome();
}

// After failures the leader may be another one.
void follow_route(Context& context, const std::string& topic, const LoadStats& stats,
                  ProduceLoad& load) {
  if (stats.errors == 0) return;
  if (const auto queues = writable(context, topic)) load.set_queues(*queues);
}

// --- produce ---

Outcome bench_produce(Context& context, const BenchOptions& options) {
  const auto load_options = produce_options(context, options);
  if (!load_options) return std::unexpected(load_options.error());
  const auto queues = writable(context, options.topic);
  if (!queues) return std::unexpected(queues.error());
  BenchReport report(context, "sent", options.progress);
  ProduceLoad load(*load_options, *queues);
  run_seconds(
      context, options, report,
      [&](Clock::time_point until) { return load.wait_done(context.env.stop, until); },
      [&] {
        LoadStats stats = load.take_stats();
        follow_route(context, options.topic, stats, load);
        return stats;
      });
  load.finish();
  report.end();
  report.add(load.take_stats());
  return finish(context, report);
}

// --- consume ---

std::expected<std::vector<ConsumeLoad::Start>, Failure> starts(Context& context,
                                                               const std::string& topic,
                                                               const Place& from, bool to_the_end) {
  const auto route = context.route(topic);
  if (!route) return std::unexpected(route.error());
  std::vector<ConsumeLoad::Start> starts;
  for (client::QueueAddress& queue : client::readable_queues(topic, *route)) {
    client::Broker broker = context.broker(queue.address);
    const auto offset = offset_of(broker, queue.queue, from);
    if (!offset) return fail(offset.error());
    ConsumeLoad::Start start{std::move(queue), *offset, {}};
    if (to_the_end) {
      const auto max = broker.max_offset(start.queue.queue);
      if (!max) return fail(max.error());
      start.stop_at = *max;
    }
    starts.push_back(std::move(start));
  }
  if (!starts.empty()) return starts;
  return fail(ExitCode::kFailed, fmt::format("topic {} has no readable queue", topic),
              fmt::format("See its permission with: gantry topic describe {}", topic));
}

ConsumeLoadOptions consume_options(const BenchOptions& options) {
  ConsumeLoadOptions load;
  load.pull.messages_max = options.batch;
  load.threads = options.threads;
  load.connections = options.connections;
  load.count = options.count;
  return load;
}

Outcome bench_consume(Context& context, const BenchOptions& options) {
  const auto place = parse_place(options.from, context.env.clock.wall_ms());
  if (!place) return fail(ExitCode::kUsage, "--from: " + place.error().message);
  const bool waits = options.seconds > 0 || options.count > 0;
  const auto queues = starts(context, options.topic, *place, !waits);
  if (!queues) return std::unexpected(queues.error());
  BenchOptions bounded = options;
  if (!waits) bounded.seconds = 86'400;  // the ends of the queues end it
  BenchReport report(context, "received", options.progress);
  ConsumeLoad load(consume_options(options), *queues);
  run_seconds(
      context, bounded, report,
      [&](Clock::time_point until) { return load.wait_done(context.env.stop, until); },
      [&] { return load.take_stats(); });
  report.end();
  report.add(load.take_stats());
  return finish(context, report);
}

// --- both ---

Outcome finish_both(Context& context, const BenchReport& sent, const BenchReport& received) {
  if (context.options.json) {
    print_json(context, {{"sent", sent.json()}, {"received", received.json()}});
  } else {
    context.env.out << sent.text() << '\n' << received.text();
  }
  context.env.out << std::flush;
  if (auto outcome = sent.outcome(); !outcome) return outcome;
  if (auto outcome = received.outcome(); !outcome) return outcome;
  const std::int64_t missing = sent.total().messages - received.total().messages;
  if (missing <= 0 || context.env.stop.stop_requested()) return {};
  return fail(ExitCode::kFailed,
              fmt::format("{} messages that were sent have not arrived", format_count(missing)));
}

Outcome bench_both(Context& context, const BenchOptions& options) {
  auto load_options = produce_options(context, options);
  if (!load_options) return std::unexpected(load_options.error());
  const auto writable_queues = writable(context, options.topic);
  if (!writable_queues) return std::unexpected(writable_queues.error());
  const auto begin = starts(context, options.topic, {Place::Kind::kLatest, 0}, false);
  if (!begin) return std::unexpected(begin.error());
  ConsumeLoadOptions consume = consume_options(options);
  consume.count = 0;
  consume.mark_prefix = fmt::format("{:08x}-", std::random_device{}());
  load_options->mark_prefix = consume.mark_prefix;
  BenchReport sent(context, "sent", false);
  BenchReport received(context, "received", options.progress);
  ConsumeLoad consumer(consume, *begin);
  ProduceLoad producer(*load_options, *writable_queues);
  std::int64_t warmed_up = 0;
  bool counting = options.warmup <= 0;
  run_seconds(
      context, options, received,
      [&](Clock::time_point until) { return producer.wait_done(context.env.stop, until); },
      [&] {
        const LoadStats stats = producer.take_stats();
        follow_route(context, options.topic, stats, producer);
        if (counting) {
          sent.add(stats);
        } else {
          counting = true;
          warmed_up = stats.messages;
          sent.begin();
        }
        return consumer.take_stats();
      });
  producer.finish();
  sent.end();
  sent.add(producer.take_stats());
  consumer.wait_count(warmed_up + sent.total().messages, context.env.stop,
                      Clock::now() + std::chrono::milliseconds(context.options.timeout_ms));
  received.end();
  received.add(consumer.take_stats());
  return finish_both(context, sent, received);
}

// --- command line ---

void add_common(CLI::App& command, BenchOptions& options) {
  command.add_option("topic", options.topic, "Name of the topic")
      ->type_name("TOPIC")
      ->capture_default_str();
  command.add_option("-c,--count", options.count, "Stop after that many messages")
      ->check(CLI::PositiveNumber);
  command.add_option("-s,--seconds", options.seconds, "Stop after that time")
      ->check(CLI::PositiveNumber);
  command.add_option("--warmup", options.warmup, "Do not measure that many seconds at the begin")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--connections", options.connections, "Connections to each broker")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command.add_option("--threads", options.threads, "Threads the connections are dealt to")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command.add_flag("--progress", options.progress,
                   "Show every second on stderr, also when it is no terminal");
}

void add_sending(CLI::App& command, BenchOptions& options) {
  command.add_option("--size", options.size, "Size of a body")
      ->type_name("SIZE")
      ->capture_default_str();
  command.add_option("--inflight", options.inflight, "Requests on their way on each connection")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command.add_option("-r,--rate", options.rate, "Messages each second; 0: as fast as it goes")
      ->check(CLI::NonNegativeNumber);
}

void add_receiving(CLI::App& command, BenchOptions& options) {
  command.add_option("--batch", options.batch, "Messages of one pull at most")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
}

}  // namespace

void add_bench_commands(CLI::App& app, Context& context) {
  CLI::App* family = add_family(app, "bench", "Measure throughput and latency");

  auto produce = std::make_shared<BenchOptions>();
  CLI::App* command = add_command(
      *family, context, "produce", "Send as fast as it goes, or at a rate (10 s, unless bounded)",
      "  gantry bench produce\n"
      "  gantry bench produce orders --size 256 --connections 8 --inflight 64 --seconds 30\n"
      "  gantry bench produce orders --rate 5000 --seconds 60 --json\n",
      [&context, produce] { return bench_produce(context, *produce); });
  add_common(*command, *produce);
  add_sending(*command, *produce);

  auto consume = std::make_shared<BenchOptions>();
  command = add_command(*family, context, "consume",
                        "Pull as fast as it goes: up to the end, or for --seconds, or --count",
                        "  gantry bench consume\n"
                        "  gantry bench consume orders --from latest --seconds 30\n",
                        [&context, consume] { return bench_consume(context, *consume); });
  add_common(*command, *consume);
  add_receiving(*command, *consume);
  command->add_option("--from", consume->from, "earliest, latest, a time or offset:N")
      ->type_name("PLACE")
      ->capture_default_str();

  auto both = std::make_shared<BenchOptions>();
  command = add_command(*family, context, "e2e",
                        "Send and receive at once; latency from sending to arrival",
                        "  gantry bench e2e orders --rate 1000 --seconds 30\n",
                        [&context, both] { return bench_both(context, *both); });
  add_common(*command, *both);
  add_sending(*command, *both);
  add_receiving(*command, *both);
}

}  // namespace gantry::cli
