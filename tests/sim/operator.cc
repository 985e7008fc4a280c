// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/operator.h"

#include <fmt/core.h>

#include <algorithm>

namespace gantry::simtest {
namespace {

constexpr std::int64_t kMs = 1000;
constexpr std::size_t kVotersMin = 2;
constexpr std::size_t kVotersMax = 6;
constexpr std::size_t kMachinesMax = 8;  // at a time
constexpr std::size_t kMachinesEver = 16;
constexpr std::int64_t kCaughtUpBytes = 32 << 10;

}  // namespace

void Operator::begin() {
  for (auto& node : cluster_.nodes()) goals_[node->number()] = Goal::kVoter;
  act_later();
}

std::size_t Operator::wanted(Goal goal) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(goals_, [&](const auto& entry) { return entry.second == goal; }));
}

void Operator::add_machine() {
  Goal goal = one_in(6) ? Goal::kLearner : Goal::kVoter;
  if (wanted(Goal::kVoter) >= kVotersMax) goal = Goal::kLearner;
  // Sometimes one that was removed and is still there comes again, with its old store.
  if (one_in(3)) {
    for (auto& [number, old] : goals_) {
      if (old != Goal::kRemoved) continue;
      ++counts_["removed member added again"];
      old = goal;
      return;
    }
  }
  if (goals_.size() >= kMachinesMax || cluster_.nodes().size() >= kMachinesEver) return;
  Node& node = cluster_.add_node();
  ++counts_["machine added"];
  goals_[node.number()] = goal;
  node.start();
}

void Operator::remove_member() {
  const std::size_t voters_min = one_in(5) ? kVotersMin : 3;
  const auto at = goals_.find(static_cast<int>(random(std::ssize(cluster_.nodes()))));
  if (at == goals_.end() || at->second == Goal::kRemoved) return;
  if (at->second == Goal::kVoter && wanted(Goal::kVoter) <= voters_min) return;
  ++counts_["member to be removed"];
  at->second = Goal::kRemoved;
}

void Operator::act_later() {
  cluster_.world.at((50 + random(350)) * kMs, [this] {
    act();
    act_later();
  });
}

void Operator::act() {
  if (!finishing_) {
    if (disk_to_lose_) try_lose_disk();
    if (one_in(8)) try_take_away();
  }
  Node* target = cluster_.leader();
  if (one_in(4)) {  // another one that believes to lead
    Node& any = cluster_.node(static_cast<int>(random(std::ssize(cluster_.nodes()))));
    if (any.leading()) target = &any;
  }
  if (target == nullptr) return;
  target->loop().post([this, target] {
    if (target->leading()) step(*target);
  });
}

void Operator::ask_at_once(Node& node) {
  cluster_.world.at(random(3 * kMs), [this, &node] {
    if (!node.up()) return;
    node.loop().post([this, &node] {
      if (node.up() && node.role() == raft::Role::kLeader) step(node);
    });
  });
}

void Operator::step(Node& leader) {
  const std::vector<Step> possible = steps(leader);
  if (possible.empty()) return;
  const Step& chosen = possible[static_cast<std::size_t>(random(std::ssize(possible)))];
  if (!can_decide(chosen.next)) return;
  leader.storage().replica().change_membership(
      chosen.next, [counts = &counts_, name = chosen.name](const Result<void>& done) {
        ++(*counts)[done ? name : "change of members refused or unknown"];
      });
}

std::vector<Operator::Step> Operator::steps(Node& leader) {
  const raft::Membership& now = leader.storage().replica().core().membership();
  std::vector<Step> result;
  for (const raft::Member& member : now.members) {
    if (cluster_.by_uuid(member.id) != nullptr) continue;
    raft::Membership next = now;
    next.remove(member.id);
    result.push_back({"lost member removed", std::move(next)});
  }
  for (const auto& [number, goal] : goals_) add_step(result, leader, cluster_.node(number), goal);
  return result;
}

// What brings `node` nearer to its goal, if anything can be done now.
void Operator::add_step(std::vector<Step>& steps, Node& leader, Node& node, Goal goal) {
  const raft::Core& core = leader.storage().replica().core();
  raft::Membership next = core.membership();
  const raft::Member* there = node.uuid().empty() ? nullptr : next.find(node.uuid());
  if (there == nullptr) {
    if (goal == Goal::kRemoved || !node.up()) return;
    // A hasty operator adds an empty voter.
    const bool voter = goal == Goal::kVoter && !finishing_ && one_in(8);
    next.put({node.uuid(), node.address(), next.free_number(), voter});
    return steps.push_back({voter ? "member added as voter" : "member added", std::move(next)});
  }
  raft::Member changed = *there;
  if (goal == Goal::kRemoved) {
    if (there->voter && one_in(4)) {
      changed.voter = false;
      next.put(changed);
      return steps.push_back({"voter demoted", std::move(next)});
    }
    next.remove(node.uuid());
    return steps.push_back(
        {node.number() == leader.number() ? "leader removed" : "member removed", std::move(next)});
  }
  const bool to_voter = goal == Goal::kVoter;
  if (there->voter == to_voter) return;
  if (to_voter) {
    const auto progress = core.progress().find(node.uuid());
    const bool caught_up = progress != core.progress().end() && !progress->second.recovering &&
                           progress->second.matched() + kCaughtUpBytes >= core.end();
    if (!caught_up && !one_in(finishing_ ? 1000 : 20)) return;
  }
  changed.voter = to_voter;
  next.put(changed);
  steps.push_back({to_voter ? "learner promoted" : "voter demoted", std::move(next)});
}

// Whether the group remains one that can go on with any one disk less. While a voter is lost for
// good the others must be able to elect somebody without it, however things go: enough of them that
// have forgotten nothing.
bool Operator::can_decide(const raft::Membership& next) {
  // The records of a sole voter end with its disk.
  if (next.voter_count() < kVotersMin) return false;
  std::size_t whole = 0;
  bool lost = cluster_.voter_lost();
  for (const raft::Member& member : next.members) {
    if (!member.voter) continue;
    Node* node = cluster_.by_uuid(member.id);
    if (node == nullptr) lost = true;
    if (dependable(node)) ++whole;
  }
  return !lost || whole >= next.quorum();
}

// It has forgotten nothing, and will not have to begin anew behind a trimmed log.
bool Operator::dependable(Node* node) {
  return node != nullptr && node->up() && !node->recovering() &&
         node->storage().log().end() >= trimmed_;
}

// Any member, when the others can do without it: a minority of the voters of every membership that
// may count, with all the others whole and with all they need to go on.
void Operator::try_lose_disk() {
  Node& node = cluster_.node(static_cast<int>(random(std::ssize(cluster_.nodes()))));
  if (!node.up() || !goals_.contains(node.number())) return;
  const std::vector<raft::Membership> all = cluster_.memberships();
  if (all.empty()) return;
  for (const raft::Membership& membership : all) {
    if (membership.voter_count() < 3) return;
    for (const raft::Member& member : membership.members) {
      if (member.voter && !dependable(cluster_.by_uuid(member.id))) return;
    }
  }
  disk_to_lose_ = false;
  ++counts_["disk lost"];
  node.wipe();
  cluster_.world.at((10 + random(3000)) * kMs, [&node] { node.start(); });
}

// The machine of somebody that was removed, when no membership names it any more, and none can come
// back that does: everybody is there to be asked.
void Operator::try_take_away() {
  if (!cluster_.voters_whole(nullptr)) return;
  const std::vector<raft::Membership> all = cluster_.memberships();
  for (auto& [number, goal] : goals_) {
    if (goal != Goal::kRemoved) continue;
    Node& node = cluster_.node(number);
    if (std::ranges::any_of(all, [&](const auto& m) { return m.find(node.uuid()) != nullptr; })) {
      continue;
    }
    ++counts_["removed machine taken away"];
    node.take_away();
    goals_.erase(number);
    return;
  }
}

void Operator::check_done() {
  const raft::Membership& now = cluster_.leader()->storage().replica().core().membership();
  std::size_t expected = 0;
  for (const auto& [number, goal] : goals_) {
    const raft::Member* member = now.find(cluster_.node(number).uuid());
    if (goal != Goal::kRemoved) ++expected;
    if (goal == Goal::kRemoved ? member == nullptr
                               : member != nullptr && member->voter == (goal == Goal::kVoter)) {
      continue;
    }
    throw Violation{fmt::format("healed, but node {} is {}, not {}", number,
                                member == nullptr ? "no member"
                                : member->voter   ? "a voter"
                                                  : "a learner",
                                goal == Goal::kRemoved ? "removed"
                                : goal == Goal::kVoter ? "a voter"
                                                       : "a learner")};
  }
  if (now.members.size() != expected) {
    throw Violation{
        fmt::format("healed, but the group has {} members, not {}", now.members.size(), expected)};
  }
}

}  // namespace gantry::simtest
