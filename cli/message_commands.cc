// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/json_output.h"
#include "cli/message_output.h"
#include "cli/places.h"
#include "cli/table.h"
#include "cli/text.h"
#include "client/topic_queues.h"
#include "net/connection.h"
#include "protocol/message_id.h"

namespace gantry::cli {
namespace {

using client::Broker;
using client::Message;
using Messages = std::expected<std::vector<Message>, Failure>;

struct GetOptions {
  std::string id;
  std::string topic;
  std::string queue;
  std::int64_t offset = -1;
  bool body_only = false;
};

struct QueryOptions {
  std::string topic;
  std::string key;
  std::string from;
  std::string to;
  int count_max = 32;
};

// At every broker that has the topic. A key's messages may be on all of them.
Messages query_brokers(Context& context, const Broker::KeyQuery& query) {
  const auto route = context.route(query.topic);
  if (!route) return std::unexpected(route.error());
  std::vector<Message> all;
  for (const protocol::BrokerData& data : route->broker_datas) {
    const auto address = client::any_address(data);
    if (!address) continue;
    auto found = context.broker(*address).query_messages(query);
    if (!found) return fail(found.error());
    std::ranges::move(*found, std::back_inserter(all));
  }
  std::ranges::stable_sort(all, {}, &Message::store_timestamp_ms);
  return all;
}

// --- get ---

// An offset id names the broker that has the message; it is asked only when the NameServer knows
// it. Other ids look the same but name a client.
std::expected<std::optional<Message>, Failure> get_by_offset_id(Context& context,
                                                                const GetOptions& options) {
  const auto decoded = protocol::decode_message_id(options.id);
  if (!decoded) return std::nullopt;
  const std::string address = decoded->host.text();
  const auto nodes = context.brokers();
  if (!nodes) return std::unexpected(nodes.error());
  if (std::ranges::find(*nodes, address, &BrokerNode::address) == nodes->end()) return std::nullopt;
  auto message = context.broker(address).message_at(decoded->position.v, options.topic);
  if (message) return std::move(*message);
  if (message.error().code == ErrorCode::kNotFound) return std::nullopt;
  return fail(message.error());
}

std::unexpected<Failure> message_not_found(const GetOptions& options) {
  const std::string message = fmt::format("no message {} was found", options.id);
  if (options.topic.empty()) {
    return fail(ExitCode::kNotFound, message,
                fmt::format("If this is the id a client gave the message, name its topic:\n"
                            "  gantry message get {} --topic TOPIC",
                            options.id));
  }
  return fail(ExitCode::kNotFound, message,
              "It may have passed its retention time. Look for its key with: gantry message query");
}

std::expected<Message, Failure> get_by_id(Context& context, const GetOptions& options) {
  auto direct = get_by_offset_id(context, options);
  if (!direct) return std::unexpected(direct.error());
  if (*direct) return std::move(**direct);
  if (options.topic.empty()) return message_not_found(options);
  Broker::KeyQuery query;
  query.topic = options.topic;
  query.key = options.id;
  query.unique_id = true;
  auto found = query_brokers(context, query);
  if (!found) return std::unexpected(found.error());
  if (found->empty()) return message_not_found(options);
  return std::move(found->front());
}

std::expected<Message, Failure> get_by_place(Context& context, const GetOptions& options) {
  if (options.topic.empty() || options.queue.empty() || options.offset < 0) {
    return fail(ExitCode::kUsage, "which message?",
                "Give its id, or --topic, --queue BROKER:ID and --offset.");
  }
  const auto name = parse_queue_name(options.queue);
  if (!name) return fail(ExitCode::kUsage, name.error().message);
  const auto route = context.route(options.topic);
  if (!route) return std::unexpected(route.error());
  for (const client::QueueAddress& queue : client::readable_queues(options.topic, *route)) {
    if (queue.queue.broker_name != name->broker || queue.queue.queue_id != name->id) continue;
    auto message = context.broker(queue.address).message_of_queue(queue.queue, options.offset);
    if (!message) return fail(message.error());
    return std::move(*message);
  }
  return fail(ExitCode::kNotFound,
              fmt::format("topic {} has no readable queue {}", options.topic, options.queue),
              fmt::format("See its queues with: gantry topic describe {}", options.topic));
}

Outcome get_message(Context& context, const GetOptions& options) {
  const auto message =
      options.id.empty() ? get_by_place(context, options) : get_by_id(context, options);
  if (!message) return std::unexpected(message.error());
  if (options.body_only) {
    context.env.out << message->body;
  } else if (context.options.json) {
    print_json(context, message_json(*message));
  } else {
    context.env.out << message_details(*message);
  }
  return {};
}

// --- query ---

Outcome query_messages(Context& context, const QueryOptions& options) {
  Broker::KeyQuery query;
  query.topic = options.topic;
  query.key = options.key;
  query.count_max = options.count_max;
  const std::int64_t now = context.env.clock.wall_ms();
  if (!options.from.empty()) {
    const auto from = parse_time(options.from, now);
    if (!from) return fail(ExitCode::kUsage, "--from: " + from.error().message);
    query.from_ms = *from;
  }
  if (!options.to.empty()) {
    const auto to = parse_time(options.to, now);
    if (!to) return fail(ExitCode::kUsage, "--to: " + to.error().message);
    query.to_ms = *to;
  }
  const auto found = query_brokers(context, query);
  if (!found) return std::unexpected(found.error());
  if (found->empty()) {
    return fail(ExitCode::kNotFound,
                fmt::format("topic {} has no message with key {}", options.topic, options.key),
                "Keys are case-sensitive. Give another time range with --from and --to.");
  }
  if (context.options.json) {
    Json list = Json::array();
    for (const Message& message : *found) list.push_back(message_json(message));
    print_json(context, {{"topic", options.topic}, {"key", options.key}, {"messages", list}});
    return {};
  }
  Table table({{"MESSAGE"},
               {"QUEUE", Table::Align::kRight},
               {"OFFSET", Table::Align::kRight},
               {"STORED"},
               {"STORED AT"},
               {"TAG"},
               {"KEYS"},
               {"BYTES", Table::Align::kRight}});
  for (const Message& message : *found) {
    table.add({std::string(message.id()), std::to_string(message.queue_id),
               std::to_string(message.queue_offset), format_time(message.store_timestamp_ms),
               message.store_host, std::string(message.tag()), std::string(message.keys()),
               std::to_string(message.body.size())});
  }
  context.env.out << table.text();
  return {};
}

}  // namespace

void add_message_commands(CLI::App& app, Context& context) {
  CLI::App* family = add_family(app, "message", "Look up messages");

  auto get = std::make_shared<GetOptions>();
  CLI::App* command = add_command(
      *family, context, "get", "Show one message",
      "  gantry message get 7F000001000029CC0000000000000000\n"
      "  gantry message get AC11000200B413B0AAC2A5B1B3E00000 --topic orders\n"
      "  gantry message get --topic orders --queue broker-a:3 --offset 17 --body > body.bin\n",
      [&context, get] { return get_message(context, *get); });
  command->add_option("id", get->id, "The id a producer got, or an offset id")->type_name("ID");
  command->add_option("-t,--topic", get->topic, "Topic of the message")->type_name("TOPIC");
  command->add_option("-q,--queue", get->queue, "Queue of the message, BROKER:ID")
      ->type_name("QUEUE");
  command->add_option("-o,--offset", get->offset, "Offset of the message in its queue")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--body", get->body_only, "Only the body, byte for byte");

  auto query = std::make_shared<QueryOptions>();
  command = add_command(*family, context, "query", "Find messages by key",
                        "  gantry message query --topic orders --key order-4711\n"
                        "  gantry message query -t orders -k order-4711 --from '1h ago'\n",
                        [&context, query] { return query_messages(context, *query); });
  command->add_option("-t,--topic", query->topic, "Topic of the messages")
      ->required()
      ->type_name("TOPIC");
  command->add_option("-k,--key", query->key, "One of the messages' keys")
      ->required()
      ->type_name("KEY");
  command->add_option("--from", query->from, "Stored at this time or later")->type_name("TIME");
  command->add_option("--to", query->to, "Stored at this time or earlier")->type_name("TIME");
  command->add_option("--max", query->count_max, "Messages from each broker")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
}

}  // namespace gantry::cli
