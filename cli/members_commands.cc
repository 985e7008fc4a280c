// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cli/broker_set.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/json_output.h"
#include "cli/table.h"
#include "cli/text.h"

namespace gantry::cli {
namespace {

const char* role_of(const SetMember& member) {
  if (member.leader) return "leader";
  return member.voter ? "voter" : "learner";
}

std::string state_of(const SetMember& member) {
  if (member.leader) return "leads";
  if (!member.connected) return "not connected";
  if (!member.answers) return "silent";
  return member.state.empty() ? "connected" : member.state;
}

std::string lag_of(const SetMember& member) {
  if (member.leader) return "0";
  return member.lag_bytes ? std::to_string(*member.lag_bytes) : "-";
}

Json view_json(const SetView& set) {
  Json json = {{"broker", set.broker_name},
               {"term", set.term},
               {"leader", set.leader},
               {"members", Json::array()},
               {"candidates", Json::array()}};
  for (const SetMember& member : set.members) {
    Json entry = {{"uuid", member.uuid},       {"number", member.number},
                  {"role", role_of(member)},   {"state", state_of(member)},
                  {"address", member.address}, {"http", member.http_address}};
    if (member.lag_bytes) entry["lagBytes"] = *member.lag_bytes;
    json["members"].push_back(std::move(entry));
  }
  for (const auto& candidate : set.candidates) {
    json["candidates"].push_back({{"uuid", candidate.uuid}, {"address", candidate.address}});
  }
  return json;
}

Outcome show_members(Context& context, const std::string& broker) {
  const auto set = BrokerSet::find(context, broker);
  if (!set) return std::unexpected(set.error());
  const auto view = set->view();
  if (!view) return std::unexpected(view.error());
  if (context.options.json) {
    print_json(context, view_json(*view));
    return {};
  }
  using Align = Table::Align;
  Table table({{"BROKER"},
               {"NUMBER", Align::kRight},
               {"ROLE"},
               {"LAG BYTES", Align::kRight},
               {"STATE"},
               {"ADDRESS"},
               {"UUID"}});
  for (const SetMember& member : view->members) {
    table.add({view->broker_name, std::to_string(member.number), role_of(member), lag_of(member),
               state_of(member), member.address, member.uuid});
  }
  for (const auto& candidate : view->candidates) {
    table.add({view->broker_name, "-", "candidate", "-", "waits to be joined", candidate.address,
               candidate.uuid});
  }
  context.env.out << table.text();
  return {};
}

// What each member says of itself: the view of one is never enough to judge a set.
Outcome show_status(Context& context, const std::string& broker) {
  const auto set = BrokerSet::find(context, broker);
  if (!set) return std::unexpected(set.error());
  const auto view = set->view();
  if (!view) return std::unexpected(view.error());
  Json list = Json::array();
  using Align = Table::Align;
  Table table({{"NUMBER", Align::kRight},
               {"ROLE"},
               {"TERM", Align::kRight},
               {"COMMITTED", Align::kRight},
               {"APPLIED", Align::kRight},
               {"DURABLE", Align::kRight},
               {"LEADER"},
               {"ADDRESS"}});
  bool silent = false;
  for (const SetMember& member : view->members) {
    const std::string number = std::to_string(member.number);
    const auto text =
        member.http_address.empty()
            ? Result<std::string>(make_error(ErrorCode::kUnavailable, "not connected"))
            : set->ask_member(member.http_address, "/v1/raft");
    const Json raft = text ? Json::parse(*text, nullptr, false) : Json();
    if (!raft.is_object()) {
      silent = true;
      const std::string why = text ? "its answer is not understood" : text.error().message;
      table.add({number, "no answer", "", "", "", "", "", member.address});
      list.push_back({{"uuid", member.uuid}, {"number", member.number}, {"error", why}});
      continue;
    }
    const auto show = [&](const char* key) {
      return raft.value(key, Json()).is_null() ? std::string("-") : raft[key].dump();
    };
    const std::string leader = raft.value("leader", "");
    table.add({number, raft.value("role", "-"), show("term"), show("committed"), show("applied"),
               show("durable"), leader.empty() ? "none" : leader.substr(0, 8), member.address});
    Json entry = {{"uuid", member.uuid}, {"number", member.number}};
    entry["raft"] = raft;
    list.push_back(std::move(entry));
  }
  if (context.options.json) {
    print_json(context, {{"broker", view->broker_name}, {"members", list}});
  } else {
    context.env.out << table.text();
  }
  context.env.out << std::flush;
  if (silent) return fail(ExitCode::kUnreachable, "not every member answers");
  return {};
}

void say(Context& context, const Json& json, const std::string& text) {
  if (context.options.json) {
    print_json(context, json);
  } else {
    context.env.out << text << '\n';
  }
}

Outcome transfer(Context& context, const std::string& broker, const std::string& to) {
  const auto set = BrokerSet::find(context, broker);
  if (!set) return std::unexpected(set.error());
  std::string path = "/v1/raft/transfer";
  if (!to.empty()) {
    const auto view = set->view();
    if (!view) return std::unexpected(view.error());
    const auto target = find_member(*view, to);
    if (!target) return std::unexpected(target.error());
    path += "?target=" + target->uuid;
  }
  if (const auto done = set->ask("POST", path); !done) return std::unexpected(done.error());
  const auto view = set->view();
  if (!view) return std::unexpected(view.error());
  for (const SetMember& member : view->members) {
    if (!member.leader) continue;
    say(context, {{"leader", member.uuid}, {"number", member.number}, {"address", member.address}},
        fmt::format("{} is led by member {} at {}", view->broker_name, member.number,
                    member.address));
  }
  return {};
}

Outcome join(Context& context, const std::string& broker, const std::string& address,
             bool learner) {
  const auto set = BrokerSet::find(context, broker);
  if (!set) return std::unexpected(set.error());
  const auto joined = set->ask("PUT", "/v1/members", nlohmann::json{{"address", address}}.dump());
  if (!joined) return std::unexpected(joined.error());
  const auto view = set->view();
  if (!view) return std::unexpected(view.error());
  const auto member = find_member(*view, address);
  if (!member) return std::unexpected(member.error());
  if (!learner) {
    const auto promoted = set->ask("POST", "/v1/members/" + member->uuid + "/promote");
    if (!promoted) {
      Failure failure = promoted.error();
      failure.hint =
          "It is a learner now and goes on catching up: give the same command again "
          "later, or a longer --timeout.";
      return std::unexpected(std::move(failure));
    }
  }
  say(context,
      {{"uuid", member->uuid}, {"number", member->number}, {"role", learner ? "learner" : "voter"}},
      fmt::format("{} at {} is member {} of {}, a {}", member->uuid, address, member->number,
                  view->broker_name, learner ? "learner" : "voter"));
  return {};
}

Outcome remove_member(Context& context, const std::string& broker, const std::string& who) {
  const auto set = BrokerSet::find(context, broker);
  if (!set) return std::unexpected(set.error());
  const auto view = set->view();
  if (!view) return std::unexpected(view.error());
  const auto member = find_member(*view, who);
  if (!member) return std::unexpected(member.error());
  const auto removed = set->ask("DELETE", "/v1/members/" + member->uuid);
  if (!removed) return std::unexpected(removed.error());
  say(context, {{"uuid", member->uuid}, {"removed", true}},
      fmt::format("member {} at {} does not belong to {} any more", member->number, member->address,
                  view->broker_name));
  return {};
}

void add_broker_option(CLI::App& command, std::string& broker) {
  command.add_option("--broker", broker, "The broker set, if there are several")->type_name("NAME");
}

}  // namespace

void add_members_commands(CLI::App& cluster, Context& context) {
  auto broker = std::make_shared<std::string>();
  add_broker_option(*add_command(cluster, context, "members", "Show who belongs to a broker set",
                                 "  gantry cluster members --broker broker-a\n",
                                 [&context, broker] { return show_members(context, *broker); }),
                    *broker);
  add_broker_option(
      *add_command(cluster, context, "status", "Show what each member of a broker set says",
                   "  gantry cluster status --broker broker-a --json | jq '.members[].raft.term'\n",
                   [&context, broker] { return show_status(context, *broker); }),
      *broker);

  auto to = std::make_shared<std::string>();
  CLI::App* move = add_command(cluster, context, "transfer", "Move the leadership of a broker set",
                               "  gantry cluster transfer --broker broker-a\n"
                               "  gantry cluster transfer --broker broker-a --to 2\n",
                               [&context, broker, to] { return transfer(context, *broker, *to); });
  move->add_option("--to", *to, "Uuid or its first 8 digits, Raft address, or number")
      ->type_name("MEMBER");
  add_broker_option(*move, *broker);

  auto address = std::make_shared<std::string>();
  auto learner = std::make_shared<bool>(false);
  CLI::App* joining = add_command(
      cluster, context, "join", "Let an empty broker join a broker set",
      "  gantry cluster join 10.0.0.7:10912 --broker broker-a --timeout 60000\n",
      [&context, broker, address, learner] { return join(context, *broker, *address, *learner); });
  joining->add_option("address", *address, "Its host and raftListenPort")
      ->required()
      ->type_name("HOST:PORT");
  joining->add_flag("--learner", *learner, "It gets the log and is not counted");
  add_broker_option(*joining, *broker);

  auto member = std::make_shared<std::string>();
  CLI::App* removing =
      add_command(cluster, context, "remove", "Remove a member from a broker set",
                  "  gantry cluster remove 3 --broker broker-a\n",
                  [&context, broker, member] { return remove_member(context, *broker, *member); });
  removing->add_option("member", *member, "Uuid or its first 8 digits, Raft address, or number")
      ->required()
      ->type_name("MEMBER");
  add_broker_option(*removing, *broker);
}

}  // namespace gantry::cli
