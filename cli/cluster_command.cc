// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <charconv>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/json_output.h"
#include "cli/table.h"
#include "cli/text.h"

namespace gantry::cli {
namespace {

using Info = std::map<std::string, std::string, std::less<>>;

std::string_view value_of(const Info& info, std::string_view key) {
  const auto found = info.find(key);
  return found == info.end() ? std::string_view{} : std::string_view(found->second);
}

// The first number of a text such as "12.5 11.0 10.8" (windows of 10, 60 and 600 seconds).
double first_number(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string version_of(const Info& info) {
  const std::string_view text = value_of(info, "brokerVersionDesc");
  return std::string(text.empty() ? value_of(info, "brokerVersion") : text);
}

struct BrokerState {
  BrokerNode node;
  Info info;
  std::string error;  // not empty: it did not answer
};

std::int64_t today(const BrokerState& broker, std::string_view what) {
  const auto now = first_number(value_of(broker.info, fmt::format("msg{}TotalTodayNow", what)));
  const auto morning =
      first_number(value_of(broker.info, fmt::format("msg{}TotalTodayMorning", what)));
  return static_cast<std::int64_t>(now - morning);
}

std::string uptime(const BrokerState& broker, std::int64_t now_ms) {
  const auto boot = static_cast<std::int64_t>(first_number(value_of(broker.info, "bootTimestamp")));
  return boot > 0 && now_ms > boot ? format_age(now_ms - boot) : "-";
}

Json broker_json(const BrokerState& broker) {
  Json json = {
      {"cluster", broker.node.cluster}, {"broker", broker.node.name},
      {"id", broker.node.id},           {"role", broker.node.master() ? "master" : "slave"},
      {"address", broker.node.address}, {"reachable", broker.error.empty()}};
  if (!broker.error.empty()) {
    json["error"] = broker.error;
    return json;
  }
  json["version"] = version_of(broker.info);
  json["inTps"] = first_number(value_of(broker.info, "putTps"));
  json["outTps"] = first_number(value_of(broker.info, "getTransferredTps"));
  json["inToday"] = today(broker, "Put");
  json["outToday"] = today(broker, "Get");
  json["diskRatio"] = first_number(value_of(broker.info, "commitLogDiskRatio"));
  json["bootMs"] = static_cast<std::int64_t>(first_number(value_of(broker.info, "bootTimestamp")));
  json["runtime"] = broker.info;
  return json;
}

std::string table_text(const std::vector<BrokerState>& brokers, std::int64_t now_ms) {
  using Align = Table::Align;
  Table table({{"CLUSTER"},
               {"BROKER"},
               {"ID", Align::kRight},
               {"ROLE"},
               {"ADDRESS"},
               {"VERSION"},
               {"IN/S", Align::kRight},
               {"OUT/S", Align::kRight},
               {"IN TODAY", Align::kRight},
               {"DISK", Align::kRight},
               {"UP"}});
  for (const BrokerState& broker : brokers) {
    const BrokerNode& node = broker.node;
    std::vector<std::string> row = {node.cluster, node.name, std::to_string(node.id),
                                    node.master() ? "master" : "slave", node.address};
    if (!broker.error.empty()) {
      row.emplace_back("no answer");
    } else {
      row.push_back(version_of(broker.info));
      row.push_back(fmt::format("{:.1f}", first_number(value_of(broker.info, "putTps"))));
      row.push_back(
          fmt::format("{:.1f}", first_number(value_of(broker.info, "getTransferredTps"))));
      row.push_back(format_count(today(broker, "Put")));
      row.push_back(
          fmt::format("{:.0f} %", 100 * first_number(value_of(broker.info, "commitLogDiskRatio"))));
      row.push_back(uptime(broker, now_ms));
    }
    table.add(std::move(row));
  }
  return table.text();
}

Outcome show_cluster(Context& context) {
  const auto nodes = context.brokers();
  if (!nodes) return std::unexpected(nodes.error());
  std::vector<BrokerState> brokers;
  std::optional<Error> unreachable;
  for (const BrokerNode& node : *nodes) {
    auto info = context.broker(node.address).runtime_info();
    if (info) {
      brokers.push_back({node, std::move(*info), {}});
    } else {
      unreachable = info.error();
      brokers.push_back({node, {}, info.error().message});
    }
  }
  if (context.options.json) {
    Json list = Json::array();
    for (const BrokerState& broker : brokers) list.push_back(broker_json(broker));
    print_json(context, {{"namesrv", context.options.namesrv}, {"brokers", list}});
  } else if (brokers.empty()) {
    context.env.out << fmt::format("No broker is registered at {}.\n", context.options.namesrv);
  } else {
    context.env.out << table_text(brokers, context.env.clock.wall_ms());
  }
  context.env.out << std::flush;
  if (unreachable) return fail(*unreachable);
  return {};
}

}  // namespace

void add_cluster_command(CLI::App& app, Context& context) {
  CLI::App* cluster =
      add_command(app, context, "cluster", "Show the brokers, change who belongs to a broker set",
                  "  gantry cluster\n"
                  "  gantry cluster --namesrv 10.0.0.1:9876 --json | jq '.brokers[].inTps'\n",
                  [&context] { return show_cluster(context); });
  cluster->require_subcommand(0, 1);
  // CLI11 calls this after a subcommand's own callback.
  cluster->callback([&context, cluster] {
    if (cluster->get_subcommands().empty()) {
      context.command = [&context] { return show_cluster(context); };
    }
  });
  add_members_commands(*cluster, context);
  add_recover_command(*cluster, context);
}

}  // namespace gantry::cli
