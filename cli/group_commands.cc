// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/group_data.h"
#include "cli/json_output.h"
#include "cli/reset_offset.h"
#include "cli/table.h"
#include "cli/text.h"
#include "protocol/command.h"

namespace gantry::cli {
namespace {

using Align = Table::Align;

std::string_view type_text(const GroupMembers& members) {
  return members.type ? protocol::consume_type_name(*members.type) : std::string_view("-");
}

std::string_view model_text(const GroupMembers& members) {
  return members.model ? protocol::message_model_name(*members.model) : std::string_view("-");
}

// --- list ---

Outcome list_groups(Context& context, bool all, const BrokerFilter& filter) {
  const auto masters = context.masters(filter);
  if (!masters) return std::unexpected(masters.error());
  auto groups = collect_groups(context, *masters);
  if (!groups) return std::unexpected(groups.error());
  const std::size_t found = groups->size();
  if (!all) std::erase_if(*groups, [](const auto& entry) { return is_system_group(entry.first); });
  Json list = Json::array();
  Table table({{"GROUP"},
               {"MEMBERS", Align::kRight},
               {"LAG", Align::kRight},
               {"TPS", Align::kRight},
               {"MODEL"},
               {"BROKERS", Align::kRight}});
  for (const auto& [name, group] : *groups) {
    const auto members = collect_members(context, name, group.brokers);
    if (!members) return std::unexpected(members.error());
    const auto stats = collect_stats(context, name, "", group.brokers);
    if (!stats) return std::unexpected(stats.error());
    list.push_back({{"group", name},
                    {"members", members->members.size()},
                    {"lag", total_lag(*stats)},
                    {"tps", stats->consume_tps},
                    {"model", model_text(*members)},
                    {"consumeType", type_text(*members)},
                    {"system", is_system_group(name)},
                    {"brokers", group.brokers.size()}});
    table.add({name, std::to_string(members->members.size()), std::to_string(total_lag(*stats)),
               fmt::format("{:.1f}", stats->consume_tps), std::string(model_text(*members)),
               std::to_string(group.brokers.size())});
  }
  if (context.options.json) {
    print_json(context, {{"groups", list}});
    return {};
  }
  context.env.out << table.text();
  if (const std::size_t hidden = found - groups->size(); hidden > 0) {
    context.env.out << fmt::format("\n{} group{} of the system not shown (--all shows all).\n",
                                   hidden, hidden == 1 ? "" : "s");
  }
  return {};
}

// --- describe ---

Json members_json(const GroupMembers& members) {
  Json list = Json::array();
  for (const protocol::ClientConnection& member : members.members) {
    list.push_back({{"clientId", member.client_id},
                    {"address", member.client_addr},
                    {"language", protocol::language_name(member.language)},
                    {"version", member.version}});
  }
  return list;
}

Json subscriptions_json(const GroupMembers& members) {
  Json list = Json::array();
  for (const auto& [topic, subscription] : members.subscriptions) {
    list.push_back({{"topic", topic},
                    {"type", subscription.expression_type},
                    {"expression", subscription.sub_string}});
  }
  return list;
}

Json config_json(const protocol::SubscriptionGroupConfig& config) {
  return {{"consumeEnable", config.consume_enable},
          {"consumeOrderly", config.consume_message_orderly},
          {"broadcastEnable", config.consume_broadcast_enable},
          {"retryQueues", config.retry_queue_nums},
          {"retryMaxTimes", config.retry_max_times},
          {"consumeTimeoutMinutes", config.consume_timeout_minute}};
}

std::map<std::string, std::int64_t> lag_by_topic(const protocol::ConsumeStats& stats) {
  std::map<std::string, std::int64_t> lags;
  for (const auto& [queue, offsets] : stats.offset_table) lags[queue.topic] += lag(offsets);
  return lags;
}

std::string description_text(const std::string& name, const GroupInfo& group,
                             const GroupMembers& members, const protocol::ConsumeStats& stats) {
  Fields fields;
  fields.add("Group", name);
  fields.add("State", members.members.empty() ? "offline" : "online");
  fields.add("Model", std::string(model_text(members)));
  fields.add("Consumes by", std::string(type_text(members)));
  fields.add("Lag", format_count(total_lag(stats)));
  fields.add("Consumed per second", fmt::format("{:.1f}", stats.consume_tps));
  fields.add("May consume", group.config.consume_enable ? "yes" : "no");
  fields.add("Retries", fmt::format("at most {}, {} queue{}", group.config.retry_max_times,
                                    group.config.retry_queue_nums,
                                    group.config.retry_queue_nums == 1 ? "" : "s"));
  std::string text = fields.text();
  Table lags({{"TOPIC"}, {"LAG", Align::kRight}, {"SUBSCRIPTION"}});
  auto by_topic = lag_by_topic(stats);
  for (const auto& [topic, subscription] : members.subscriptions) by_topic.try_emplace(topic, 0);
  for (const auto& [topic, behind] : by_topic) {
    const auto found = members.subscriptions.find(topic);
    lags.add({topic, std::to_string(behind),
              found == members.subscriptions.end()
                  ? "-"
                  : fmt::format("{} {}", found->second.expression_type, found->second.sub_string)});
  }
  if (lags.rows() > 0) text += '\n' + lags.text();
  Table clients({{"CLIENT"}, {"ADDRESS"}, {"LANGUAGE"}, {"VERSION", Align::kRight}});
  for (const protocol::ClientConnection& member : members.members) {
    clients.add({member.client_id, member.client_addr,
                 std::string(protocol::language_name(member.language)),
                 std::to_string(member.version)});
  }
  if (clients.rows() > 0) text += '\n' + clients.text();
  return text;
}

Outcome describe_group(Context& context, const std::string& name) {
  const auto group = find_group(context, name);
  if (!group) return std::unexpected(group.error());
  const auto members = collect_members(context, name, group->brokers);
  if (!members) return std::unexpected(members.error());
  const auto stats = collect_stats(context, name, "", group->brokers);
  if (!stats) return std::unexpected(stats.error());
  if (context.options.json) {
    print_json(context, {{"group", name},
                         {"online", !members->members.empty()},
                         {"model", model_text(*members)},
                         {"consumeType", type_text(*members)},
                         {"lag", total_lag(*stats)},
                         {"tps", stats->consume_tps},
                         {"config", config_json(group->config)},
                         {"lagByTopic", lag_by_topic(*stats)},
                         {"subscriptions", subscriptions_json(*members)},
                         {"members", members_json(*members)}});
    return {};
  }
  context.env.out << description_text(name, *group, *members, *stats);
  return {};
}

// --- lag ---

Outcome show_lag(Context& context, const std::string& name, const std::string& topic) {
  const auto group = find_group(context, name);
  if (!group) return std::unexpected(group.error());
  if (!topic.empty()) {
    if (const auto route = context.route(topic); !route) return std::unexpected(route.error());
  }
  const auto stats = collect_stats(context, name, topic, group->brokers);
  if (!stats) return std::unexpected(stats.error());
  if (context.options.json) {
    Json queues = Json::array();
    for (const auto& [queue, offsets] : stats->offset_table) {
      queues.push_back({{"topic", queue.topic},
                        {"broker", queue.broker_name},
                        {"queue", queue.queue_id},
                        {"brokerOffset", offsets.broker_offset},
                        {"consumerOffset", offsets.consumer_offset},
                        {"pullOffset", offsets.pull_offset},
                        {"lag", lag(offsets)},
                        {"lastConsumedMs", offsets.last_timestamp_ms}});
    }
    print_json(context, {{"group", name},
                         {"lag", total_lag(*stats)},
                         {"tps", stats->consume_tps},
                         {"queues", queues}});
    return {};
  }
  Table table({{"TOPIC"},
               {"BROKER"},
               {"QUEUE", Align::kRight},
               {"BROKER OFFSET", Align::kRight},
               {"CONSUMER OFFSET", Align::kRight},
               {"LAG", Align::kRight},
               {"LAST CONSUMED"}});
  for (const auto& [queue, offsets] : stats->offset_table) {
    table.add({queue.topic, queue.broker_name, std::to_string(queue.queue_id),
               std::to_string(offsets.broker_offset), std::to_string(offsets.consumer_offset),
               std::to_string(lag(offsets)), format_time(offsets.last_timestamp_ms)});
  }
  if (table.rows() == 0) {
    context.env.out << fmt::format("Group {} has no offsets{}{}.\n", name,
                                   topic.empty() ? "" : " for topic ", topic);
    return {};
  }
  context.env.out << table.text()
                  << fmt::format("\nLag {}, consumed per second {:.1f}\n",
                                 format_count(total_lag(*stats)), stats->consume_tps);
  return {};
}

void add_reset(CLI::App& family, Context& context) {
  auto options = std::make_shared<ResetOptions>();
  CLI::App* command = add_command(
      family, context, "reset-offset", "Let a group go on at another place",
      "  gantry group reset-offset billing --topic orders --to earliest\n"
      "  gantry group reset-offset billing --topic orders --to '15m ago' --dry-run\n"
      "  gantry group reset-offset billing --topic orders --to offset:1200 --queue broker-a:3\n",
      [&context, options] { return reset_offset(context, *options); });
  command->add_option("group", options->group, "Name of the group")->required()->type_name("GROUP");
  command->add_option("-t,--topic", options->topic, "The topic")->required()->type_name("TOPIC");
  command
      ->add_option("--to", options->to,
                   "earliest, latest, a time ('2024-05-01 10:00:00', '15m ago'), or offset:N")
      ->required()
      ->type_name("PLACE");
  command->add_option("-q,--queue", options->queue, "Only this queue, BROKER:ID")
      ->type_name("QUEUE");
  command->add_flag("--dry-run", options->dry_run, "Only show what would change");
  command->add_flag("-y,--yes", options->yes, "Do not ask");
}

}  // namespace

void add_group_commands(CLI::App& app, Context& context) {
  CLI::App* family = add_family(app, "group", "Show consumer groups, move their offsets");

  auto all = std::make_shared<bool>(false);
  auto filter = std::make_shared<BrokerFilter>();
  CLI::App* list =
      add_command(*family, context, "list", "List the groups with members and lag",
                  "  gantry group list\n"
                  "  gantry group list --json | jq '.groups[] | select(.lag > 1000)'\n",
                  [&context, all, filter] { return list_groups(context, *all, *filter); });
  list->add_flag("-a,--all", *all, "Also the groups every broker has for itself");
  add_broker_filter(*list, *filter);

  auto described = std::make_shared<std::string>();
  CLI::App* describe = add_command(
      *family, context, "describe", "Show a group's members, subscriptions and settings",
      "  gantry group describe billing\n",
      [&context, described] { return describe_group(context, *described); });
  describe->add_option("group", *described, "Name of the group")->required()->type_name("GROUP");

  auto group = std::make_shared<std::string>();
  auto topic = std::make_shared<std::string>();
  CLI::App* lag =
      add_command(*family, context, "lag", "Show how far a group is behind, by queue",
                  "  gantry group lag billing\n"
                  "  gantry group lag billing --topic orders --json | jq .lag\n",
                  [&context, group, topic] { return show_lag(context, *group, *topic); });
  lag->add_option("group", *group, "Name of the group")->required()->type_name("GROUP");
  lag->add_option("-t,--topic", *topic, "Only this topic")->type_name("TOPIC");

  add_reset(*family, context);
}

}  // namespace gantry::cli
