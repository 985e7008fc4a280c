// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/json_output.h"
#include "cli/message_output.h"
#include "cli/places.h"
#include "cli/pull_loop.h"
#include "protocol/subscription_data.h"

namespace gantry::cli {
namespace {

using client::Message;
using client::QueueAddress;
using protocol::MessageQueue;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kCommitPeriod{5};
constexpr std::chrono::seconds kRoutePeriod{30};

struct ConsumeOptions {
  std::string topic;
  std::string from = "earliest";
  std::string group;
  std::string tag;
  std::string sql;
  std::string queue;
  std::int64_t count = 0;  // 0: no limit
  std::int64_t retry_seconds = 10;
  bool follow = false;
  bool body_only = false;
};

// One run of the command. Main thread.
class Consume {
 public:
  Consume(Context& context, const ConsumeOptions& options, Place from,
          protocol::SubscriptionData subscription)
      : context_(context),
        options_(options),
        from_(from),
        subscription_(std::move(subscription)),
        loop_(pull_options()) {}

  Outcome run() {
    if (auto started = start(); !started) return started;
    Outcome outcome;
    auto next_commit = Clock::now() + kCommitPeriod;
    auto next_route = Clock::now() + kRoutePeriod;
    while (outcome && !finished()) {
      auto event = loop_.next(context_.env.stop, std::min(next_commit, next_route));
      if (context_.env.stop.stop_requested()) break;
      if (event) outcome = handle(*event);
      if (Clock::now() >= next_commit) {
        if (auto done = commit(); !done) report(done.error().message);
        next_commit = Clock::now() + kCommitPeriod;
      }
      if (Clock::now() >= next_route || route_doubtful_) {
        refresh_route();
        next_route = Clock::now() + kRoutePeriod;
      }
    }
    context_.env.out << std::flush;
    if (auto done = commit(); !done && outcome) outcome = done;
    return outcome;
  }

 private:
  client::PullConsumer::Options pull_options() const {
    client::PullConsumer::Options options;
    if (!options_.group.empty()) options.pull.group = options_.group;
    options.pull.expression = subscription_.sub_string;
    options.pull.expression_type = subscription_.expression_type;
    if (!options_.follow) options.pull.suspend = std::chrono::milliseconds(0);
    return options;
  }

  bool finished() const {
    return (options_.count > 0 && printed_ >= options_.count) ||
           (!options_.follow && ended_ == queues_.size());
  }

  Outcome start() {
    const auto route = context_.route(options_.topic);
    if (!route) return std::unexpected(route.error());
    auto queues = client::readable_queues(options_.topic, *route);
    if (!options_.queue.empty()) {
      const auto name = parse_queue_name(options_.queue);
      if (!name) return fail(ExitCode::kUsage, name.error().message);
      std::erase_if(queues, [&](const QueueAddress& queue) {
        return queue.queue.broker_name != name->broker || queue.queue.queue_id != name->id;
      });
    }
    if (queues.empty()) {
      return fail(ExitCode::kNotFound,
                  fmt::format("topic {} has no readable queue{}{}", options_.topic,
                              options_.queue.empty() ? "" : " ", options_.queue),
                  fmt::format("See its queues with: gantry topic describe {}", options_.topic));
    }
    for (const QueueAddress& queue : queues) {
      if (auto added = add_queue(queue, from_); !added) return added;
    }
    return {};
  }

  Outcome add_queue(const QueueAddress& queue, const Place& from) {
    client::Broker broker = context_.broker(queue.address);
    std::optional<std::int64_t> offset;
    if (!options_.group.empty()) {
      const auto stored = broker.consumer_offset(options_.group, queue.queue);
      if (!stored) return fail(stored.error());
      offset = *stored;
    }
    if (!offset) {
      const auto begin = offset_of(broker, queue.queue, from);
      if (!begin) return fail(begin.error());
      offset = *begin;
    }
    std::optional<std::int64_t> stop_at;
    if (!options_.follow) {
      const auto end = broker.max_offset(queue.queue);
      if (!end) return fail(end.error());
      stop_at = *end;
    }
    queues_[queue.queue] = {queue.address, stop_at, {}, {}, {}};
    loop_.add(queue, *offset, stop_at);
    return {};
  }

  Outcome handle(PullLoop::Event& event) {
    if (std::holds_alternative<PullLoop::Ended>(event)) {
      ++ended_;
      return {};
    }
    if (auto* failed = std::get_if<PullLoop::Failed>(&event)) return handle_failure(*failed);
    return handle_batch(std::get<client::PulledBatch>(event));
  }

  Outcome handle_batch(const client::PulledBatch& batch) {
    Queue& queue = queues_[batch.queue];
    queue.failing_since.reset();
    const auto messages = client::decode_messages(batch.records);
    if (!messages) {
      return fail(Error{messages.error().code,
                        fmt::format("broker {}: {}", queue.address, messages.error().message)});
    }
    for (const Message& message : *messages) {
      if (finished()) return {};
      if (queue.stop_at && message.queue_offset >= *queue.stop_at) break;
      if (wanted(message)) print(message, batch.queue);
      queue.processed = message.queue_offset + 1;
    }
    if (finished()) return {};
    queue.processed = batch.answer.next_offset;
    context_.env.out << std::flush;
    loop_.resume(batch.queue);
    return {};
  }

  // Brokers choose by the hash of the tag.
  bool wanted(const Message& message) const {
    return !subscription_.is_tag_type() || subscription_.subscribes_all() ||
           subscription_.tags_set.contains(message.tag());
  }

  void print(const Message& message, const MessageQueue& queue) {
    ++printed_;
    if (options_.body_only) {
      context_.env.out << message.body << '\n';
    } else if (context_.options.json) {
      Json json = message_json(message);
      json["broker"] = queue.broker_name;
      context_.env.out << to_line(json) << '\n';
    } else {
      context_.env.out << message_line(message, queue.broker_name) << '\n';
    }
  }

  Outcome handle_failure(const PullLoop::Failed& failed) {
    const ErrorCode code = failed.error.code;
    const bool passes =
        code == ErrorCode::kUnavailable || code == ErrorCode::kTimeout || code == ErrorCode::kBusy;
    Queue& queue = queues_[failed.queue.queue];
    const auto now = Clock::now();
    if (!queue.failing_since) queue.failing_since = now;
    const bool patient = options_.follow ||
                         now - *queue.failing_since < std::chrono::seconds(options_.retry_seconds);
    if (!passes || !patient) {
      return fail(Error{code, fmt::format("queue {}:{}: {}", failed.queue.queue.broker_name,
                                          failed.queue.queue.queue_id, failed.error.message)});
    }
    report(failed.error.message);
    route_doubtful_ = true;
    return {};
  }

  // Many queues fail for one reason.
  void report(const std::string& text) {
    const auto now = Clock::now();
    if (text == last_report_ && now - last_report_at_ < std::chrono::seconds(10)) return;
    last_report_ = text;
    last_report_at_ = now;
    context_.warn(text);
  }

  // Brokers change, leaders too. Queues that are new are read from their begin.
  void refresh_route() {
    route_doubtful_ = false;
    const auto route = context_.route(options_.topic);
    if (!route) {
      report(route.error().message);
      return;
    }
    for (const QueueAddress& queue : client::readable_queues(options_.topic, *route)) {
      const auto known = queues_.find(queue.queue);
      if (known != queues_.end()) {
        if (known->second.address != queue.address) {
          known->second.address = queue.address;
          loop_.add(queue, 0, {});
        }
      } else if (options_.follow && options_.queue.empty()) {
        if (auto added = add_queue(queue, {Place::Kind::kEarliest, 0}); !added) {
          report(added.error().message);
        }
      }
    }
  }

  Outcome commit() {
    if (options_.group.empty()) return {};
    for (auto& [name, queue] : queues_) {
      if (!queue.processed || queue.processed == queue.committed) continue;
      auto done =
          context_.broker(queue.address).commit_offset(options_.group, name, *queue.processed);
      if (!done) return fail(done.error());
      queue.committed = queue.processed;
    }
    return {};
  }

  struct Queue {
    std::string address;
    std::optional<std::int64_t> stop_at;
    std::optional<std::int64_t> processed;  // the next offset to read
    std::optional<std::int64_t> committed;
    std::optional<Clock::time_point> failing_since;
  };

  Context& context_;
  const ConsumeOptions& options_;
  const Place from_;
  const protocol::SubscriptionData subscription_;
  PullLoop loop_;
  std::map<MessageQueue, Queue> queues_;
  std::size_t ended_ = 0;
  std::int64_t printed_ = 0;
  bool route_doubtful_ = false;
  std::string last_report_;
  Clock::time_point last_report_at_;
};

Outcome consume(Context& context, ConsumeOptions options) {
  const auto place = parse_place(options.from, context.env.clock.wall_ms());
  if (!place) return fail(ExitCode::kUsage, "--from: " + place.error().message);
  // There is nothing behind the end but what is to come.
  if (place->kind == Place::Kind::kLatest && options.group.empty()) options.follow = true;
  auto subscription = options.sql.empty()
                          ? protocol::build_subscription(options.topic, options.tag, "TAG")
                          : protocol::build_subscription(options.topic, options.sql, "SQL92");
  if (!subscription) return fail(ExitCode::kUsage, subscription.error().message);
  return Consume(context, options, *place, std::move(*subscription)).run();
}

}  // namespace

void add_consume_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<ConsumeOptions>();
  CLI::App* command = add_command(
      app, context, "consume", "Print a topic's messages; with --follow also those to come",
      "  gantry consume orders\n"
      "  gantry consume orders --follow --from latest --tag 'paid || refunded'\n"
      "  gantry consume orders --from '15m ago' --count 10 --json | jq .body\n"
      "  gantry consume orders --group billing --follow     go on where the group was\n"
      "With --json, each line is one JSON document. The command takes part in no rebalancing: "
      "with\n"
      "--group, do not run it while members of the group are online.\n",
      [&context, options] { return consume(context, *options); });
  command->add_option("topic", options->topic, "Name of the topic")->required()->type_name("TOPIC");
  command
      ->add_option("--from", options->from,
                   "earliest, latest (implies --follow), a time ('2024-05-01 10:00:00', "
                   "'15m ago'), or offset:N")
      ->type_name("PLACE")
      ->capture_default_str();
  command->add_flag("-f,--follow", options->follow, "Wait for more messages at the end");
  command->add_option("-c,--count", options->count, "Stop after that many messages")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("-g,--group", options->group,
                   "Start at this group's offsets where it has any, and move them")
      ->type_name("GROUP");
  auto* tag = command->add_option("--tag", options->tag, "Only messages with this tag, 'a || b'")
                  ->type_name("TAGS");
  command->add_option("--sql", options->sql, "Only messages this SQL92 expression is true for")
      ->type_name("EXPRESSION")
      ->excludes(tag);
  command->add_option("-q,--queue", options->queue, "Only this queue, BROKER:ID")
      ->type_name("QUEUE");
  command->add_flag("--body", options->body_only, "Only the bodies, each with a newline");
  command
      ->add_option("--retry", options->retry_seconds,
                   "Without --follow: how long to try while a broker is away, seconds")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

}  // namespace gantry::cli
