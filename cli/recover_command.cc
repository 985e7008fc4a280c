// SPDX-License-Identifier: Apache-2.0
// gantry cluster recover: the way out for a broker set that has lost voters for good and cannot
// elect a leader without them.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/broker_set.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/json_output.h"
#include "cli/recovery_plan.h"
#include "cli/table.h"
#include "cli/wait.h"

namespace gantry::cli {
namespace {

constexpr std::chrono::milliseconds kAskAgain{100};

struct RecoverOptions {
  std::string broker;
  std::vector<std::string> http;
  bool accept_loss = false;
};

Result<MemberReport> report_of(Context& context, const std::string& http) {
  const BrokerSet member = BrokerSet::at(context, http);
  auto view = member.view_of_one();
  if (!view) return std::unexpected(view.error());
  const auto raft = member.ask_member(http, "/v1/raft");
  if (!raft) return std::unexpected(raft.error());
  return parse_report(*raft, std::move(*view), http);
}

// Everybody that can be reached: the members that are named, or that the NameServer knows, and
// those that they are connected with.
std::expected<std::vector<MemberReport>, Failure> gather(Context& context,
                                                         const RecoverOptions& options) {
  std::vector<std::string> to_ask = options.http;
  if (to_ask.empty()) {
    auto known = BrokerSet::http_addresses(context, options.broker);
    if (!known) {
      Failure failure = known.error();
      failure.hint =
          "If no NameServer knows the members any more, name those that are left: "
          "--http HOST:PORT, their httpPort.";
      return std::unexpected(std::move(failure));
    }
    to_ask = std::move(*known);
  }
  std::vector<MemberReport> reports;
  std::set<std::string> asked;
  for (std::size_t i = 0; i < to_ask.size(); ++i) {
    const std::string http = to_ask[i];
    if (!asked.insert(http).second) continue;
    auto report = report_of(context, http);
    if (!report) {
      // Who was named is there, says the operator.
      if (std::ranges::find(options.http, http) != options.http.end()) return fail(report.error());
      context.warn(fmt::format("{} does not answer: {}", http, report.error().message));
      continue;
    }
    for (const SetMember& member : report->view.members) {
      if (member.connected && !member.http_address.empty()) to_ask.push_back(member.http_address);
    }
    const bool twice =
        std::ranges::find(reports, report->uuid, &MemberReport::uuid) != reports.end();
    if (!twice) reports.push_back(std::move(*report));
  }
  return reports;
}

const char* fate_of(const RecoveryPlan& plan, const RecoveryPlan::Voter& voter) {
  if (voter.member.uuid == plan.chosen) return "goes on alone";
  return voter.report ? "given up; empty its store and join it" : "given up; does not answer";
}

std::string table_of(const RecoveryPlan& plan) {
  using Align = Table::Align;
  Table table({{"NUMBER", Align::kRight},
               {"TERM", Align::kRight},
               {"END", Align::kRight},
               {"COMMITTED", Align::kRight},
               {"STATE"},
               {"PLAN"},
               {"ADDRESS"},
               {"UUID"}});
  for (const RecoveryPlan::Voter& voter : plan.voters) {
    std::vector<std::string> row = {std::to_string(voter.member.number)};
    if (const auto& report = voter.report) {
      row.insert(row.end(),
                 {std::to_string(report->last_term), std::to_string(report->end),
                  std::to_string(report->committed), report->recovering ? "recovering" : "sound"});
    } else {
      row.insert(row.end(), {"-", "-", "-", "no answer"});
    }
    row.insert(row.end(), {fate_of(plan, voter), voter.member.address, voter.member.uuid});
    table.add(std::move(row));
  }
  return table.text();
}

std::string losses_of(const RecoveryPlan& plan) {
  const MemberReport& chosen = plan.of_chosen();
  std::string text = fmt::format(
      "What is lost: whatever was acknowledged behind position {} of term {}, and is not in the "
      "log "
      "of the member that goes on.\n",
      chosen.end, chosen.last_term);
  if (chosen.end > chosen.committed) {
    text += fmt::format(
        "What becomes valid: {} bytes at its end, of which it does not know whether they were "
        "acknowledged.\n",
        chosen.end - chosen.committed);
  }
  if (chosen.recovering) {
    text += "That member may itself have forgotten what it acknowledged (a power cut, damage).\n";
  }
  if (!plan.learners.empty()) {
    text += fmt::format("Learners are given up, too: {}.\n", plan.learners.size());
  }
  return text +
         "A member that is given up never belongs to the set again with the store that it has.\n";
}

Json json_of(const RecoveryPlan& plan, bool done) {
  Json json = {{"broker", plan.broker_name},
               {"chosen", plan.chosen},
               {"done", done},
               {"givenUp", plan.given_up()},
               {"voters", Json::array()}};
  for (const RecoveryPlan::Voter& voter : plan.voters) {
    Json entry = {{"uuid", voter.member.uuid},
                  {"number", voter.member.number},
                  {"address", voter.member.address},
                  {"answers", voter.report.has_value()},
                  {"plan", voter.member.uuid == plan.chosen ? "goes on" : "given up"}};
    if (const auto& report = voter.report) {
      entry["lastTerm"] = report->last_term;
      entry["end"] = report->end;
      entry["committed"] = report->committed;
      entry["recovering"] = report->recovering;
    }
    json["voters"].push_back(std::move(entry));
  }
  return json;
}

Outcome carry_out(Context& context, const RecoveryPlan& plan) {
  const MemberReport& chosen = plan.of_chosen();
  const BrokerSet member = BrokerSet::at(context, chosen.http_address);
  const nlohmann::json body = {
      {"acceptLoss", true}, {"survivors", plan.survivors()}, {"givenUp", plan.given_up()}};
  if (const auto done = member.ask("POST", "/v1/raft/recover", body.dump()); !done) {
    return std::unexpected(done.error());
  }
  std::string last = "it has not said so";
  const bool leads = wait_until(
      context.env.stop, std::chrono::milliseconds(context.options.timeout_ms), kAskAgain, [&] {
        const auto answer = member.ask_member(chosen.http_address, "/v1/leadership");
        if (!answer) last = answer.error().message;
        const auto json =
            answer ? nlohmann::json::parse(*answer, nullptr, false) : nlohmann::json();
        return json.is_object() && json.value("leading", false);
      });
  if (leads) return {};
  return fail(ExitCode::kUnreachable,
              fmt::format("{} is recovered, but does not lead yet: {}", plan.broker_name, last),
              "It leads by itself in a moment, also after a restart. See: gantry cluster status");
}

Outcome recover(Context& context, const RecoverOptions& options) {
  const auto reports = gather(context, options);
  if (!reports) return std::unexpected(reports.error());
  const auto plan = plan_recovery(*reports);
  if (!plan) return std::unexpected(plan.error());
  if (!context.options.json) context.env.out << table_of(*plan) << losses_of(*plan) << std::flush;
  if (!options.accept_loss) {
    if (context.options.json) print_json(context, json_of(*plan, false));
    return fail(ExitCode::kUsage, "nothing has been changed: this loses data and is for good",
                "Start what can be started; if the members that do not answer are gone for ever, "
                "give --accept-loss.");
  }
  if (const auto done = carry_out(context, *plan); !done) return done;
  if (context.options.json) {
    print_json(context, json_of(*plan, true));
  } else {
    context.env.out << fmt::format(
        "{} goes on with member {} alone. Make it a set again with: gantry cluster join "
        "HOST:RAFTPORT\n",
        plan->broker_name, plan->chosen);
  }
  return {};
}

}  // namespace

void add_recover_command(CLI::App& cluster, Context& context) {
  auto options = std::make_shared<RecoverOptions>();
  CLI::App* command = add_command(
      cluster, context, "recover",
      "Let a broker set go on whose voters are lost for good; without --accept-loss only show how",
      "  gantry cluster recover --broker broker-a\n"
      "  gantry cluster recover --http 10.0.0.7:5557 --accept-loss\n",
      [&context, options] { return recover(context, *options); });
  command->add_option("--broker", options->broker, "The broker set, if there are several")
      ->type_name("NAME");
  command
      ->add_option("--http", options->http,
                   "HTTP address (httpPort) of a member that is left; may be given several times")
      ->type_name("HOST:PORT");
  command->add_flag("--accept-loss", options->accept_loss,
                    "Do it: what is not in the log of the member that goes on is lost");
}

}  // namespace gantry::cli
