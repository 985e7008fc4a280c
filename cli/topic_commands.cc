// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/json_output.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/wait.h"
#include "client/topic_queues.h"

namespace gantry::cli {
namespace {

using protocol::TopicConfig;
using Align = Table::Align;

constexpr std::string_view kMessageType = "message.type";
constexpr std::string_view kRetryPrefix = "%RETRY%";
constexpr std::string_view kDeadLetterPrefix = "%DLQ%";

std::string attribute(const TopicConfig& config, std::string_view name, std::string_view fallback) {
  const auto found = config.attributes.find(name);
  return found == config.attributes.end() ? std::string(fallback) : found->second;
}

Json attributes_json(const TopicConfig& config) {
  Json json = Json::object();
  for (const auto& [name, value] : config.attributes) json[name] = value;
  return json;
}

// --- create ---

struct CreateOptions {
  std::string topic;
  int queues = 8;
  int read_queues = 0;
  int write_queues = 0;
  std::string permission = "rw";
  std::string type;
  std::vector<std::string> attributes;
  bool order = false;
  bool update = false;
  BrokerFilter brokers;
};

std::expected<TopicConfig, Failure> wanted_config(const CreateOptions& options) {
  const auto permission = parse_permission(options.permission);
  if (!permission) return fail(ExitCode::kUsage, permission.error().message);
  TopicConfig config;
  config.topic_name = options.topic;
  config.read_queue_nums = options.read_queues > 0 ? options.read_queues : options.queues;
  config.write_queue_nums = options.write_queues > 0 ? options.write_queues : options.queues;
  config.perm = *permission;
  config.order = options.order;
  if (!options.type.empty()) config.attributes.emplace(kMessageType, options.type);
  for (const std::string& pair : options.attributes) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0 || pair.find(',') != std::string::npos) {
      return fail(ExitCode::kUsage, fmt::format("--attribute '{}': expected key=value", pair));
    }
    config.attributes.insert_or_assign(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return config;
}

// As the protocol writes attributes to set: "+key=value,+key=value".
std::string attribute_text(const TopicConfig& config) {
  std::string text;
  for (const auto& [name, value] : config.attributes) {
    text += fmt::format("{}+{}={}", text.empty() ? "" : ",", name, value);
  }
  return text;
}

std::string describe(const TopicConfig& config) {
  std::string text = fmt::format("{} queues to write, {} to read, permission {}{}",
                                 config.write_queue_nums, config.read_queue_nums,
                                 format_permission(config.perm), config.order ? ", ordered" : "");
  for (const auto& [name, value] : config.attributes) text += fmt::format(", {}={}", name, value);
  return text;
}

bool is_as_wanted(const TopicConfig& known, const TopicConfig& wanted) {
  const bool attributes = std::ranges::all_of(wanted.attributes, [&](const auto& pair) {
    return attribute(known, pair.first, "") == pair.second;
  });
  return attributes && known.read_queue_nums == wanted.read_queue_nums &&
         known.write_queue_nums == wanted.write_queue_nums && known.perm == wanted.perm &&
         known.order == wanted.order;
}

// Whether the topic is there as wanted; a Failure when it is there but different.
std::expected<bool, Failure> exists_as_wanted(client::Broker& broker, const BrokerNode& node,
                                              const TopicConfig& wanted) {
  const auto known = broker.topic_config(wanted.topic_name);
  if (!known) {
    if (known.error().code == ErrorCode::kNotFound) return false;
    return fail(known.error());
  }
  if (is_as_wanted(*known, wanted)) return true;
  return fail(ExitCode::kFailed,
              fmt::format("topic {} exists on broker {} with {}", wanted.topic_name, node.name,
                          describe(*known)),
              "Give --update to change it.");
}

// A broker registers a new topic a moment after it has made it.
bool wait_for_route(Context& context, const std::string& topic, std::size_t brokers) {
  const auto names = context.name_server();
  if (!names) return false;
  return wait_until(context.env.stop, std::chrono::seconds(5), std::chrono::milliseconds(50), [&] {
    const auto route = (*names)->route(topic);
    return route && route->queue_datas.size() >= brokers;
  });
}

Outcome create_topic(Context& context, const CreateOptions& options) {
  const auto wanted = wanted_config(options);
  if (!wanted) return std::unexpected(wanted.error());
  const auto masters = context.masters(options.brokers);
  if (!masters) return std::unexpected(masters.error());
  Json made = Json::array();
  std::size_t changed = 0;
  for (const BrokerNode& node : *masters) {
    client::Broker broker = context.broker(node.address);
    if (!options.update) {
      const auto there = exists_as_wanted(broker, node, *wanted);
      if (!there) return std::unexpected(there.error());
      if (*there) continue;
    }
    if (auto done = broker.update_topic(*wanted, attribute_text(*wanted)); !done)
      return fail(done.error());
    ++changed;
    made.push_back(node.name);
  }
  if (changed > 0 && !wait_for_route(context, options.topic, masters->size())) {
    context.warn("the topic is made, but the NameServer does not show it on all brokers yet");
  }
  if (context.options.json) {
    print_json(context, {{"topic", options.topic},
                         {"readQueues", wanted->read_queue_nums},
                         {"writeQueues", wanted->write_queue_nums},
                         {"permission", format_permission(wanted->perm)},
                         {"changedBrokers", made}});
  } else if (changed == 0) {
    context.env.out << fmt::format("Topic {} exists already with {}.\n", options.topic,
                                   describe(*wanted));
  } else {
    context.env.out << fmt::format("Topic {} has {}, on {} broker{}.\n", options.topic,
                                   describe(*wanted), changed, changed == 1 ? "" : "s");
  }
  return {};
}

void add_create(CLI::App& family, Context& context) {
  auto options = std::make_shared<CreateOptions>();
  CLI::App* command = add_command(
      family, context, "create", "Make a topic on all brokers, or change it",
      "  gantry topic create orders\n"
      "  gantry topic create orders --queues 16 --type fifo\n"
      "  gantry topic create orders --queues 32 --update      change an existing topic\n"
      "  gantry topic create audit --attribute reserve.time=86400000\n",
      [&context, options] { return create_topic(context, *options); });
  command->add_option("topic", options->topic, "Name of the topic")->required()->type_name("TOPIC");
  command->add_option("-q,--queues", options->queues, "Queues on each broker")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  command->add_option("--read-queues", options->read_queues, "Queues to read, if different")
      ->check(CLI::Range(1, 65535));
  command->add_option("--write-queues", options->write_queues, "Queues to write, if different")
      ->check(CLI::Range(1, 65535));
  command->add_option("--permission", options->permission, "rw, r or w")->capture_default_str();
  command
      ->add_option("--type", options->type,
                   "Messages it is for: NORMAL, FIFO, DELAY, TRANSACTION, MIXED")
      ->transform(
          CLI::IsMember({"NORMAL", "FIFO", "DELAY", "TRANSACTION", "MIXED"}, CLI::ignore_case));
  command->add_option("--attribute", options->attributes, "A further attribute (repeatable)")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command->add_flag("--order", options->order, "Mark it as ordered (for tools of RocketMQ 4)");
  command->add_flag("--update", options->update, "Change the topic when it exists");
  add_broker_filter(*command, options->brokers);
}

// --- list ---

struct ListedTopic {
  TopicConfig config;  // of the first broker that has it
  std::vector<std::pair<std::string, TopicConfig>> brokers;
  bool system = false;
};
using TopicMap = std::map<std::string, ListedTopic, std::less<>>;

bool belongs_to_group(std::string_view topic) {
  return topic.starts_with(kRetryPrefix) || topic.starts_with(kDeadLetterPrefix);
}

std::expected<TopicMap, Failure> collect_topics(Context& context,
                                                const std::vector<BrokerNode>& masters) {
  TopicMap topics;
  std::set<std::string, std::less<>> system;
  for (const BrokerNode& node : masters) {
    client::Broker broker = context.broker(node.address);
    auto configs = broker.topic_configs();
    if (!configs) return fail(configs.error());
    auto names = broker.system_topics();
    if (!names) return fail(names.error());
    system.insert(names->begin(), names->end());
    system.insert({node.cluster, node.name});
    for (auto& [name, config] : *configs) {
      ListedTopic& topic = topics[name];
      if (topic.brokers.empty()) topic.config = config;
      topic.brokers.emplace_back(node.name, std::move(config));
    }
  }
  for (auto& [name, topic] : topics) {
    topic.system = system.contains(name) || name.starts_with("rmq_sys_");
  }
  return topics;
}

Json listed_json(const TopicMap& topics) {
  Json list = Json::array();
  for (const auto& [name, topic] : topics) {
    Json brokers = Json::array();
    for (const auto& [broker, config] : topic.brokers) {
      brokers.push_back({{"broker", broker},
                         {"readQueues", config.read_queue_nums},
                         {"writeQueues", config.write_queue_nums},
                         {"permission", format_permission(config.perm)}});
    }
    list.push_back({{"topic", name},
                    {"type", attribute(topic.config, kMessageType, "NORMAL")},
                    {"attributes", attributes_json(topic.config)},
                    {"system", topic.system},
                    {"brokers", brokers}});
  }
  return list;
}

Outcome list_topics(Context& context, bool all, const BrokerFilter& filter) {
  const auto masters = context.masters(filter);
  if (!masters) return std::unexpected(masters.error());
  auto topics = collect_topics(context, *masters);
  if (!topics) return std::unexpected(topics.error());
  const std::size_t found = topics->size();
  if (!all) {
    std::erase_if(*topics, [](const auto& entry) {
      return entry.second.system || belongs_to_group(entry.first);
    });
  }
  if (context.options.json) {
    print_json(context, {{"topics", listed_json(*topics)}});
    return {};
  }
  Table table({{"TOPIC"},
               {"TYPE"},
               {"PERM"},
               {"WRITE QUEUES", Align::kRight},
               {"READ QUEUES", Align::kRight},
               {"BROKERS"}});
  for (const auto& [name, topic] : *topics) {
    std::string brokers;
    int reads = 0;
    int writes = 0;
    for (const auto& [broker, config] : topic.brokers) {
      if (!brokers.empty()) brokers += ", ";
      brokers += broker;
      reads += config.read_queue_nums;
      writes += config.write_queue_nums;
    }
    table.add({name, attribute(topic.config, kMessageType, "NORMAL"),
               format_permission(topic.config.perm), std::to_string(writes), std::to_string(reads),
               brokers});
  }
  context.env.out << table.text();
  if (const std::size_t hidden = found - topics->size(); hidden > 0) {
    context.env.out << fmt::format(
        "\n{} topic{} of the system or of groups not shown (--all shows all).\n", hidden,
        hidden == 1 ? "" : "s");
  }
  return {};
}

void add_list(CLI::App& family, Context& context) {
  auto all = std::make_shared<bool>(false);
  auto filter = std::make_shared<BrokerFilter>();
  CLI::App* command =
      add_command(family, context, "list", "List the topics",
                  "  gantry topic list\n"
                  "  gantry topic list --all --json | jq -r '.topics[].topic'\n",
                  [&context, all, filter] { return list_topics(context, *all, *filter); });
  command->add_flag("-a,--all", *all, "Also topics of the system, retries and dead letters");
  add_broker_filter(*command, *filter);
}

// --- describe ---

struct DescribedTopic {
  std::vector<std::pair<BrokerNode, TopicConfig>> configs;
  protocol::TopicStatsTable stats;
  std::set<std::string, std::less<>> groups;
};

std::expected<DescribedTopic, Failure> describe_topic(Context& context, const std::string& topic) {
  const auto route = context.route(topic);
  if (!route) return std::unexpected(route.error());
  DescribedTopic described;
  for (const protocol::BrokerData& data : route->broker_datas) {
    const auto address = client::any_address(data);
    if (!address) continue;
    client::Broker broker = context.broker(*address);
    auto config = broker.topic_config(topic);
    if (!config) return fail(config.error());
    const std::int64_t id = data.broker_addrs.begin()->first;
    described.configs.push_back(
        {BrokerNode{data.cluster, data.broker_name, id, *address}, std::move(*config)});
    auto stats = broker.topic_stats(topic);
    if (!stats) return fail(stats.error());
    described.stats.offset_table.merge(stats->offset_table);
    described.stats.topic_put_tps += stats->topic_put_tps;
    auto groups = broker.groups_of_topic(topic);
    if (!groups) return fail(groups.error());
    described.groups.insert(groups->begin(), groups->end());
  }
  return described;
}

Json described_json(const std::string& topic, const DescribedTopic& described) {
  Json brokers = Json::array();
  for (const auto& [node, config] : described.configs) {
    brokers.push_back({{"broker", node.name},
                       {"cluster", node.cluster},
                       {"address", node.address},
                       {"readQueues", config.read_queue_nums},
                       {"writeQueues", config.write_queue_nums},
                       {"permission", format_permission(config.perm)},
                       {"order", config.order},
                       {"attributes", attributes_json(config)}});
  }
  Json queues = Json::array();
  std::int64_t messages = 0;
  for (const auto& [queue, offset] : described.stats.offset_table) {
    messages += offset.max_offset - offset.min_offset;
    queues.push_back({{"broker", queue.broker_name},
                      {"queue", queue.queue_id},
                      {"minOffset", offset.min_offset},
                      {"maxOffset", offset.max_offset},
                      {"lastStoredMs", offset.last_update_timestamp_ms}});
  }
  return {{"topic", topic},
          {"messages", messages},
          {"putTps", described.stats.topic_put_tps},
          {"groups", described.groups},
          {"brokers", brokers},
          {"queues", queues}};
}

std::string joined(const std::set<std::string, std::less<>>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

Outcome show_topic(Context& context, const std::string& topic) {
  const auto described = describe_topic(context, topic);
  if (!described) return std::unexpected(described.error());
  if (context.options.json) {
    print_json(context, described_json(topic, *described));
    return {};
  }
  Table table({{"BROKER"},
               {"QUEUE", Align::kRight},
               {"MIN OFFSET", Align::kRight},
               {"MAX OFFSET", Align::kRight},
               {"MESSAGES", Align::kRight},
               {"LAST STORED"}});
  std::int64_t messages = 0;
  for (const auto& [queue, offset] : described->stats.offset_table) {
    messages += offset.max_offset - offset.min_offset;
    table.add({queue.broker_name, std::to_string(queue.queue_id), std::to_string(offset.min_offset),
               std::to_string(offset.max_offset),
               std::to_string(offset.max_offset - offset.min_offset),
               format_time(offset.last_update_timestamp_ms)});
  }
  Fields fields;
  fields.add("Topic", topic);
  fields.add("Messages", format_count(messages));
  fields.add("Stored per second", fmt::format("{:.1f}", described->stats.topic_put_tps));
  fields.add("Groups", joined(described->groups));
  for (const auto& [node, config] : described->configs) {
    fields.add("On " + node.name, describe(config));
  }
  context.env.out << fields.text() << '\n' << table.text();
  return {};
}

// --- delete ---

struct DeleteOptions {
  std::string topic;
  std::string cluster;
  bool yes = false;
};

Outcome delete_topic(Context& context, const DeleteOptions& options) {
  const auto route = context.route(options.topic);
  if (!route) return std::unexpected(route.error());
  if (auto agreed = confirm(context, options.yes,
                            fmt::format("Delete topic {} with all its messages?", options.topic));
      !agreed) {
    return agreed;
  }
  const auto masters = context.masters({options.cluster, {}});
  if (!masters) return std::unexpected(masters.error());
  for (const BrokerNode& node : *masters) {
    if (auto done = context.broker(node.address).delete_topic(options.topic); !done) {
      return fail(done.error());
    }
  }
  const auto names = context.name_server();
  if (auto done = (*names)->delete_topic(options.topic, options.cluster); !done) {
    return fail(done.error());
  }
  if (context.options.json) {
    print_json(context, {{"topic", options.topic}, {"deleted", true}});
  } else {
    context.env.out << fmt::format("Topic {} is deleted.\n", options.topic);
  }
  return {};
}

}  // namespace

void add_topic_commands(CLI::App& app, Context& context) {
  CLI::App* family = add_family(app, "topic", "Make, list, describe and delete topics");
  add_create(*family, context);
  add_list(*family, context);

  auto topic = std::make_shared<std::string>();
  CLI::App* describe =
      add_command(*family, context, "describe", "Show a topic's queues, offsets and groups",
                  "  gantry topic describe orders\n"
                  "  gantry topic describe orders --json | jq .messages\n",
                  [&context, topic] { return show_topic(context, *topic); });
  describe->add_option("topic", *topic, "Name of the topic")->required()->type_name("TOPIC");

  auto options = std::make_shared<DeleteOptions>();
  CLI::App* remove = add_command(*family, context, "delete", "Delete a topic and its messages",
                                 "  gantry topic delete orders\n"
                                 "  gantry topic delete orders --yes      do not ask\n",
                                 [&context, options] { return delete_topic(context, *options); });
  remove->add_option("topic", options->topic, "Name of the topic")->required()->type_name("TOPIC");
  remove->add_option("--cluster", options->cluster, "Only in this cluster")->type_name("NAME");
  remove->add_flag("-y,--yes", options->yes, "Do not ask");
}

}  // namespace gantry::cli
