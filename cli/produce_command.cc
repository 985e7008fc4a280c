// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <istream>
#include <random>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/json_output.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "cli/wait.h"
#include "client/producer.h"
#include "protocol/codes.h"

namespace gantry::cli {
namespace {

using client::OutgoingMessage;
using client::Producer;
using Clock = std::chrono::steady_clock;

struct ProduceOptions {
  std::string topic;
  std::vector<std::string> bodies;
  std::string tag;
  std::vector<std::string> keys;
  std::vector<std::string> properties;
  std::string sharding_key;
  std::string key_separator;
  std::string group = "GANTRY_CLI_PRODUCER";
  std::string deliver_at;
  std::string deliver_after;
  int delay_level = 0;
  std::int64_t repeat = 1;
  double rate = 0;
  std::int64_t retry_seconds = 10;
  bool quiet = false;
};

// Where message bodies come from: the arguments, or the lines of stdin.
class Bodies {
 public:
  Bodies(Context& context, const ProduceOptions& options) : context_(context), options_(options) {}

  bool next(std::string& body) {
    if (context_.env.stop.stop_requested()) return false;
    if (options_.bodies.empty()) return static_cast<bool>(std::getline(context_.env.in, body));
    const auto count = static_cast<std::int64_t>(options_.bodies.size());
    if (taken_ >= count * options_.repeat) return false;
    body = options_.bodies[static_cast<std::size_t>(taken_ % count)];
    ++taken_;
    return true;
  }

  std::optional<std::int64_t> total() const {
    if (options_.bodies.empty()) return std::nullopt;
    return static_cast<std::int64_t>(options_.bodies.size()) * options_.repeat;
  }

 private:
  Context& context_;
  const ProduceOptions& options_;
  std::int64_t taken_ = 0;
};

std::expected<OutgoingMessage, Failure> message_template(Context& context,
                                                         const ProduceOptions& options) {
  OutgoingMessage message;
  message.topic = options.topic;
  message.tag = options.tag;
  message.keys = options.keys;
  message.sharding_key = options.sharding_key;
  message.delay_level = options.delay_level;
  for (const std::string& pair : options.properties) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ExitCode::kUsage, fmt::format("--property '{}': expected name=value", pair));
    }
    message.properties.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  const std::int64_t now = context.env.clock.wall_ms();
  if (!options.deliver_at.empty()) {
    const auto time = parse_time(options.deliver_at, now);
    if (!time) return fail(ExitCode::kUsage, "--deliver-at: " + time.error().message);
    message.deliver_at_ms = *time;
  }
  if (!options.deliver_after.empty()) {
    const auto delay = parse_duration(options.deliver_after);
    if (!delay) return fail(ExitCode::kUsage, "--deliver-after: " + delay.error().message);
    message.deliver_at_ms = now + delay->count();
  }
  // What does not fit is better said before the first message.
  if (const auto text = client::property_text(message, "ID"); !text) {
    return fail(ExitCode::kUsage, text.error().message);
  }
  return message;
}

// The part before the separator becomes the message's key.
void split_key(const std::string& separator, OutgoingMessage& message) {
  const std::size_t at = message.body.find(separator);
  if (at == std::string::npos) return;
  message.keys = {message.body.substr(0, at)};
  message.body.erase(0, at + separator.size());
}

class Reporter {
 public:
  Reporter(Context& context, const ProduceOptions& options)
      : context_(context), options_(options), progress_(context.env, options.quiet) {
    if (context_.options.json) context_.env.out << "{\"messages\":[";
  }

  void sent(const Producer::Sent& sent) {
    ++count_;
    const auto& receipt = sent.receipt;
    if (receipt.status != protocol::ResponseCode::kSuccess) ++reserved_;
    if (options_.quiet) return;
    if (context_.options.json) {
      Json json = {{"id", sent.message_id},
                   {"offsetId", receipt.offset_message_id},
                   {"broker", receipt.queue.broker_name},
                   {"queue", receipt.queue.queue_id},
                   {"offset", receipt.queue_offset},
                   {"status", protocol::response_code_name(protocol::to_int(receipt.status))}};
      context_.env.out << (count_ == 1 ? "\n" : ",\n") << to_line(json);
      return;
    }
    context_.env.out << fmt::format(
        "{} {}:{} @{}{}{}\n", sent.message_id, receipt.queue.broker_name, receipt.queue.queue_id,
        receipt.queue_offset, receipt.status == protocol::ResponseCode::kSuccess ? "" : " ",
        receipt.status == protocol::ResponseCode::kSuccess
            ? ""
            : protocol::response_code_name(protocol::to_int(receipt.status)));
  }

  void progress(std::optional<std::int64_t> total) {
    if (!progress_.due()) return;
    progress_.update(total
                         ? fmt::format("{} of {} sent", format_count(count_), format_count(*total))
                         : fmt::format("{} sent", format_count(count_)));
  }

  void finish() {
    progress_.clear();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    if (context_.options.json) {
      context_.env.out << fmt::format("],\n\"sent\":{},\"seconds\":{:.3f}}}\n", count_, seconds);
    } else if (options_.quiet) {
      context_.env.out << fmt::format("{} messages sent in {:.1f} s\n", count_, seconds);
    }
    if (reserved_ > 0) {
      context_.warn(fmt::format("{} messages are stored, but their flush or replication came late",
                                reserved_));
    }
  }

  std::int64_t count() const { return count_; }

 private:
  Context& context_;
  const ProduceOptions& options_;
  Progress progress_;
  const Clock::time_point begin_ = Clock::now();
  std::int64_t count_ = 0;
  std::int64_t reserved_ = 0;
};

// Goes on trying while brokers are away or busy: a new leader needs a moment.
Result<Producer::Sent> send_patiently(Context& context, Producer& producer,
                                      const OutgoingMessage& message, std::int64_t seconds) {
  const auto deadline = Clock::now() + std::chrono::seconds(seconds);
  while (true) {
    auto sent = producer.send(message);
    if (sent) return sent;
    const ErrorCode code = sent.error().code;
    const bool away =
        code == ErrorCode::kUnavailable || code == ErrorCode::kTimeout || code == ErrorCode::kBusy;
    const auto again = Clock::now() + std::chrono::milliseconds(200);
    if (!away || again > deadline || !sleep_until(context.env.stop, again)) return sent;
  }
}

Producer::Options producer_options(const Context& context, const ProduceOptions& options) {
  Producer::Options out;
  out.group = options.group;
  out.send_timeout = std::chrono::milliseconds(context.options.timeout_ms);
  out.random = std::random_device{}();
  out.pid = static_cast<std::uint32_t>(::getpid());
  return out;
}

Outcome produce(Context& context, const ProduceOptions& options) {
  auto message = message_template(context, options);
  if (!message) return std::unexpected(message.error());
  // Before stdin is read: a topic that does not exist is the most common mistake.
  if (const auto route = context.route(options.topic); !route)
    return std::unexpected(route.error());
  Producer producer(context.connections(), **context.name_server(),
                    producer_options(context, options), context.env.clock);
  Bodies bodies(context, options);
  if (options.bodies.empty() && context.env.in_is_tty) {
    context.env.err << "Each line becomes a message; Ctrl-D ends.\n" << std::flush;
  }
  Reporter reporter(context, options);
  const auto begin = Clock::now();
  Outcome outcome;
  while (bodies.next(message->body)) {
    if (options.rate > 0) {
      const std::chrono::duration<double> offset(static_cast<double>(reporter.count()) /
                                                 options.rate);
      if (!sleep_until(context.env.stop,
                       begin + std::chrono::duration_cast<Clock::duration>(offset))) {
        break;
      }
    }
    if (!options.key_separator.empty()) split_key(options.key_separator, *message);
    const auto sent = send_patiently(context, producer, *message, options.retry_seconds);
    if (!sent) {
      outcome = fail(Error{sent.error().code, fmt::format("message {}: {}", reporter.count() + 1,
                                                          sent.error().message)});
      break;
    }
    reporter.sent(*sent);
    reporter.progress(bodies.total());
  }
  reporter.finish();
  return outcome;
}

}  // namespace

void add_produce_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<ProduceOptions>();
  CLI::App* command =
      add_command(app, context, "produce", "Send messages: the arguments, or each line of stdin",
                  "  gantry produce orders 'first' 'second'\n"
                  "  gantry produce orders --key order-4711 --tag paid '{\"amount\": 12}'\n"
                  "  tail -f access.log | gantry produce logs --rate 100 --quiet\n"
                  "  gantry produce orders 'later' --deliver-after 10m\n"
                  "  gantry produce orders 'tick' --repeat 60 --rate 1\n",
                  [&context, options] { return produce(context, *options); });
  command->add_option("topic", options->topic, "Name of the topic")->required()->type_name("TOPIC");
  command->add_option("body", options->bodies, "Message bodies; none: the lines of stdin")
      ->type_name("BODY");
  command->add_option("--tag", options->tag, "The messages' tag")->type_name("TAG");
  command->add_option("-k,--key", options->keys, "A key to find the messages by (repeatable)")
      ->allow_extra_args(false)
      ->type_name("KEY");
  command->add_option("-p,--property", options->properties, "A property, name=value (repeatable)")
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
  command
      ->add_option("--key-separator", options->key_separator,
                   "What comes before it in a body is the message's key")
      ->type_name("TEXT");
  command
      ->add_option("--sharding-key", options->sharding_key,
                   "Messages with the same one go to the same queue, in order")
      ->type_name("KEY");
  auto* at = command->add_option("--deliver-at", options->deliver_at, "Not before this time")
                 ->type_name("TIME");
  auto* after = command->add_option("--deliver-after", options->deliver_after, "Not before then")
                    ->type_name("DURATION");
  auto* level =
      command
          ->add_option("--delay-level", options->delay_level, "Delay level of the broker, 1 to 18")
          ->check(CLI::Range(1, 18));
  at->excludes(after)->excludes(level);
  after->excludes(level);
  command->add_option("-r,--rate", options->rate, "Messages each second; 0: as fast as it goes")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--repeat", options->repeat, "Send the arguments that many times")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--retry", options->retry_seconds,
                   "Go on trying for that many seconds while brokers are away or busy")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("-g,--group", options->group, "Producer group")
      ->type_name("GROUP")
      ->capture_default_str();
  command->add_flag("--quiet", options->quiet, "Only how many were sent");
}

}  // namespace gantry::cli
