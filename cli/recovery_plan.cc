// SPDX-License-Identifier: Apache-2.0
#include "cli/recovery_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

namespace gantry::cli {
namespace {

using Json = nlohmann::json;

const SetMember* self_of(const MemberReport& report) {
  const auto self = std::ranges::find(report.view.members, report.uuid, &SetMember::uuid);
  return self == report.view.members.end() ? nullptr : &*self;
}

bool is_voter(const MemberReport& report) {
  const SetMember* self = self_of(report);
  return self != nullptr && self->voter && !report.given_up;
}

// Whether `one` holds what `other` knows to be committed: a byte of the same term at the same place
// was written by the same leader, and so was everything before it.
bool holds_committed(const MemberReport& one, const MemberReport& other) {
  if (other.committed <= one.committed) return true;
  return other.committed <= one.end &&
         one.term_before(other.committed) == other.term_before(other.committed);
}

std::expected<void, Failure> check_one_set(const std::vector<const MemberReport*>& voters) {
  const MemberReport& first = *voters.front();
  for (const MemberReport* report : voters) {
    if (report->view.broker_name != first.view.broker_name) {
      return fail(ExitCode::kUsage, fmt::format("{} is a member of {}, {} of {}",
                                                first.http_address, first.view.broker_name,
                                                report->http_address, report->view.broker_name));
    }
    if (report->recoveries != first.recoveries) {
      return fail(
          ExitCode::kFailed,
          fmt::format("{} and {} do not belong to one broker set any more: it was recovered "
                      "without one of them",
                      first.http_address, report->http_address),
          "Stop the member that was given up; its store has to be emptied.");
    }
    if (!report->leader.empty()) {
      return fail(ExitCode::kFailed,
                  fmt::format("{} says that member {} leads {}: nothing is to be recovered",
                              report->http_address, report->leader, report->view.broker_name),
                  "See: gantry cluster status");
    }
  }
  return {};
}

const MemberReport* choose(const std::vector<const MemberReport*>& voters) {
  const MemberReport* best = nullptr;
  for (const MemberReport* one : voters) {
    const bool holds_all = std::ranges::all_of(
        voters, [&](const MemberReport* other) { return holds_committed(*one, *other); });
    if (!holds_all) continue;
    if (best == nullptr ||
        std::tie(one->last_term, one->end) > std::tie(best->last_term, best->end)) {
      best = one;
    }
  }
  return best;
}

}  // namespace

std::int64_t MemberReport::term_before(std::int64_t position) const {
  std::int64_t found = 0;
  for (const Epoch& epoch : epochs) {
    if (epoch.start < position) found = epoch.term;
  }
  return found;
}

Result<MemberReport> parse_report(std::string_view raft_json, SetView view,
                                  std::string http_address) {
  MemberReport report;
  report.http_address = std::move(http_address);
  report.view = std::move(view);
  try {
    const Json json = Json::parse(raft_json);
    report.uuid = json.at("self");
    report.leader = json.at("leader");
    report.term = json.at("term");
    report.last_term = json.at("lastTerm");
    report.end = json.at("end");
    report.committed = json.at("committed");
    report.recovering = json.at("recovering");
    report.given_up = json.at("givenUp");
    report.recoveries = json.at("recoveries");
    for (const Json& epoch : json.at("epochs")) {
      report.epochs.push_back({epoch.at("term"), epoch.at("start")});
    }
  } catch (const Json::exception& error) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("the answer of {} to /v1/raft is not understood: {}",
                                  report.http_address, error.what()));
  }
  return report;
}

const MemberReport& RecoveryPlan::of_chosen() const {
  return *std::ranges::find(voters, chosen, [](const Voter& v) { return v.member.uuid; })->report;
}

std::vector<std::string> RecoveryPlan::survivors() const {
  std::vector<std::string> result;
  for (const Voter& voter : voters) {
    if (voter.report && voter.member.uuid != chosen) result.push_back(voter.member.uuid);
  }
  return result;
}

std::vector<std::string> RecoveryPlan::given_up() const {
  std::vector<std::string> result;
  for (const Voter& voter : voters) {
    if (!voter.report) result.push_back(voter.member.uuid);
  }
  return result;
}

std::expected<RecoveryPlan, Failure> plan_recovery(const std::vector<MemberReport>& reports) {
  std::vector<const MemberReport*> answering;
  for (const MemberReport& report : reports) {
    if (is_voter(report)) answering.push_back(&report);
  }
  if (answering.empty()) {
    return fail(ExitCode::kNotFound, "no voter of the broker set answers",
                "Name the HTTP addresses of those that are left: --http HOST:PORT");
  }
  if (const auto one = check_one_set(answering); !one) return std::unexpected(one.error());
  const MemberReport* chosen = choose(answering);
  if (chosen == nullptr) {
    return fail(ExitCode::kFailed, "no member that answers holds all that is known to be committed",
                "See: gantry cluster status");
  }
  RecoveryPlan plan;
  plan.broker_name = chosen->view.broker_name;
  plan.chosen = chosen->uuid;
  std::size_t sound = 0;
  std::size_t there = 0;
  for (const SetMember& member : chosen->view.members) {
    if (!member.voter) {
      plan.learners.push_back(member.uuid);
      continue;
    }
    RecoveryPlan::Voter voter{member, {}};
    const auto report =
        std::ranges::find(answering, member.uuid, [](const MemberReport* r) { return r->uuid; });
    if (report != answering.end()) {
      voter.report = **report;
      ++there;
      sound += voter.report->recovering ? 0 : 1;
    }
    plan.voters.push_back(std::move(voter));
  }
  if (sound > plan.voters.size() / 2 || there == plan.voters.size()) {
    return fail(ExitCode::kFailed,
                fmt::format("{} of the {} voters of {} answer: they elect a leader by themselves",
                            there, plan.voters.size(), plan.broker_name),
                "See: gantry cluster status");
  }
  return plan;
}

}  // namespace gantry::cli
