// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/raft/random_run.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "tests/support/raft/trace.h"

namespace gantry::raft::model {
namespace {

constexpr int kMembers = 5;
constexpr std::size_t kLinkMax = 40;  // messages under way between two members
constexpr int kConvergeTicks = 600;

Group::Settings settings_of(const RandomRun::Plan& plan) {
  Group::Settings s;
  s.core.election_ticks = 8;
  s.core.heartbeat_ticks = 2;
  s.core.resend_ticks = 6;
  s.core.inflight_max = 3 + plan.seed % 4;
  s.core.inflight_bytes_max = 300;
  s.core.append_bytes_max = 60 + static_cast<std::int64_t>(plan.seed % 3) * 60;
  s.core.seed = plan.seed;
  s.mode = plan.seed % 2 == 0 ? CommitMode::kDurable : CommitMode::kWritten;
  s.auto_write = s.auto_sync = s.auto_install = false;
  s.mistakes = plan.mistakes;
  return s;
}

Membership initial_of(const RandomRun::Plan& plan) {
  Membership membership;
  const int voters = plan.seed % 5 == 0 ? 5 : plan.seed % 7 == 0 ? 2 : 3;
  for (int i = 1; i <= voters; ++i) {
    membership.put({std::to_string(i), "host:" + std::to_string(i), i, true});
  }
  return membership;
}

}  // namespace

RandomRun::RandomRun(const Plan& plan)
    : plan_(plan),
      random_(plan.seed),
      group_(settings_of(plan)),
      initial_(initial_of(plan)),
      checker_(group_, initial_) {
  group_.on_output = [this](Member& member, const Output& output, const Packet* /*packet*/) {
    if (plan_.trace) log(describe(member, output));
    checker_.output(member, output);
    if (output.install) ++outcome_.installs;
    if (output.cut) ++outcome_.cuts;
    // Right behind a vote or a cut is where a crash hurts most.
    if ((output.save && chance(10)) || (output.cut && chance(40))) crash_soon_ = member.id;
    if (member.up()) outcome_.terms = std::max(outcome_.terms, member.core->term().v);
  };
  group_.on_progress = [this](Member& member) { checker_.progress(member); };
  for (int i = 1; i <= kMembers; ++i) group_.add(std::to_string(i), initial_);
  for (auto& [id, member] : group_.members()) group_.start(member);
}

void RandomRun::log(const std::string& line) const {
  if (plan_.trace) std::fprintf(stderr, "%s%s", line.c_str(), line.ends_with('\n') ? "" : "\n");
}

RandomRun::Outcome RandomRun::run() {
  for (int i = 0; i < plan_.steps && !checker_.violation(); ++i) step();
  if (!checker_.violation()) converge();
  outcome_.committed = checker_.committed().size();
  outcome_.violation = checker_.violation() ? checker_.violation() : problem_;
  return outcome_;
}

Member& RandomRun::any() { return group_.member(std::to_string(1 + below(kMembers))); }

Member* RandomRun::any_up() {
  Member& member = any();
  return member.up() ? &member : nullptr;
}

Member* RandomRun::leader() {
  std::vector<Member*> leaders;
  for (auto& [id, member] : group_.members()) {
    if (member.leading()) leaders.push_back(&member);
  }
  if (leaders.empty()) return nullptr;
  return leaders[static_cast<std::size_t>(below(static_cast<int>(leaders.size())))];
}

void RandomRun::step() {
  if (!crash_soon_.empty() && chance(30)) {
    Member& member = group_.member(std::exchange(crash_soon_, {}));
    if (member.up()) crash(member);
    if (!member.up()) start(member);
  }
  const int what = below(100);
  if (what < 56) return network();
  if (what < 74) return disk();
  if (what < 80) {
    Member* member = any_up();
    if (member != nullptr) group_.tick(*member);
    return;
  }
  if (what < 87) {
    for (auto& [id, member] : group_.members()) group_.tick(member);
    return;
  }
  if (what < 94) {
    Member* member = leader();
    if (member != nullptr) group_.propose(*member, 5 + below(30), 1 + below(3));
    return;
  }
  if (what < 98) return lives();
  operators();
}

void RandomRun::deliver(std::size_t index, bool keep) {
  std::size_t i = 0;
  for (auto& [link, queue] : group_.links()) {
    if (queue.empty() || i++ != index) continue;
    while (queue.size() > kLinkMax) queue.pop_front();
    // Mostly in order, sometimes not.
    const auto at =
        chance(85) ? queue.begin() : queue.begin() + below(static_cast<int>(queue.size()));
    const Packet packet = *at;
    if (!keep) queue.erase(at);
    if (!group_.connected(link.first, link.second)) return;
    log(describe(packet.message));
    group_.deliver(packet);
    return;
  }
}

void RandomRun::network() {
  int waiting = 0;
  for (const auto& [link, queue] : group_.links()) waiting += queue.empty() ? 0 : 1;
  if (waiting == 0) return;
  const auto index = static_cast<std::size_t>(below(waiting));
  const int what = below(100);
  if (what < 88) return deliver(index, false);
  if (what < 94) return deliver(index, true);  // it will come again
  std::size_t i = 0;
  for (auto& [link, queue] : group_.links()) {
    if (!queue.empty() && i++ == index) return queue.pop_front();
  }
}

void RandomRun::disk() {
  Member* member = any_up();
  if (member == nullptr) return;
  if (member->installing) {
    if (chance(30)) group_.installed(*member);
    return;
  }
  const int what = below(100);
  if (what < 30) return group_.write_one(*member);
  if (what < 65) return group_.write_all(*member);
  if (what < 80) return group_.begin_sync(*member);
  group_.end_sync(*member);
}

void RandomRun::crash(Member& member) {
  const ModelLog& disk = member.log;
  LogPosition keep = disk.written();
  const bool power = chance(30);
  bool torn = false;
  if (power) {
    // The synced part and any number of records behind it.
    keep = disk.durable();
    for (const Record& record : disk.records()) {
      if (record.end <= keep || record.end > disk.written()) continue;
      if (!chance(60)) break;
      keep = record.end;
    }
    torn = chance(50) && keep < disk.written();  // bytes that are no record behind it
    if (!checker_.may_lose(member, keep)) return;
    ++outcome_.power_cuts;
  }
  if (member.up()) {
    // What it remembers of the commits is old.
    const LogPosition commit = member.core->committed();
    for (const Record& record : disk.records()) {
      if (record.end > commit || record.end > disk.durable()) break;
      if (chance(70)) member.remembered_commit = std::max(member.remembered_commit, record.end);
    }
  }
  log("crash " + member.id + (power ? " power" : "") + " keep " + std::to_string(keep.v));
  group_.crash(member, keep);
  // As a driver judges its start: after a loss of power, unless every acknowledged byte was synced.
  const bool dirty = power && (torn || group_.settings.mode == CommitMode::kWritten);
  if (dirty && !plan_.mistakes.never_recovering) member.disk.recovering = true;
}

void RandomRun::start(Member& member) {
  log("start " + member.id);
  checker_.restarted(member);
  group_.start(member);
}

void RandomRun::lives() {
  const int what = below(100);
  if (what < 45) {
    for (auto& [id, member] : group_.members()) {
      if (!member.up() && chance(60)) start(member);
    }
    return;
  }
  if (what < 70) {
    Member& member = any();
    if (member.up()) crash(member);
    return;
  }
  if (what < 88) return group_.partition({});
  std::set<MemberId> side;
  const Member* leads = leader();
  const bool alone = leads != nullptr && chance(60);
  for (const auto& [id, other] : group_.members()) {
    // Often the leader on its own: what it takes then is cut off later.
    if (alone ? id == leads->id : chance(40)) side.insert(id);
  }
  log("partition");
  group_.partition({side});
}

void RandomRun::change(Member& leader) {
  Membership next = leader.core->membership();
  const MemberId id = any().id;
  const Member& subject = group_.member(id);
  const raft::Member* there = next.find(id);
  if (there == nullptr) {
    next.put({id, "host:" + id, next.free_number(), chance(30)});
  } else if (!there->voter) {
    raft::Member promoted = *there;
    promoted.voter = true;
    next.put(promoted);
  } else if (next.voter_count() > 2 && subject.up()) {
    next.remove(id);
  }
  if (next == leader.core->membership()) return;
  log("change " + leader.id + " to " + describe(next));
  if (group_.change(leader, next)) ++outcome_.changes;
}

void RandomRun::trim(Member& member) {
  if (member.installing) return;
  const LogPosition limit = std::min(member.core->committed(), member.log.durable());
  LogPosition begin = member.log.begin();
  for (const Record& record : member.log.records()) {
    if (record.end > limit || chance(15)) break;
    begin = record.end;
  }
  if (begin == member.log.begin()) return;
  log("trim " + member.id + " " + std::to_string(begin.v));
  group_.trim(member, begin);
}

void RandomRun::operators() {
  Member* member = any_up();
  const int what = below(100);
  if (what < 20) {
    if (member != nullptr) trim(*member);
    return;
  }
  if (what < 30) {
    if (member != nullptr) group_.campaign(*member);
    return;
  }
  if (member != nullptr && what < 35) return group_.flush_ticks(*member, chance(50) ? 100 : 0);
  Member* leads = leader();
  if (leads == nullptr) return;
  if (what < 70) return change(*leads);
  if (group_.transfer(*leads, chance(50) ? MemberId() : any().id)) ++outcome_.transfers;
}

// One leader, and every member it counts has its log and its commits.
bool RandomRun::agreed() {
  const Member* leads = nullptr;
  for (const auto& [id, member] : group_.members()) {
    if (member.leading() && (leads == nullptr || member.core->term() > leads->core->term())) {
      leads = &member;
    }
  }
  if (leads == nullptr || !leads->core->accepting()) return false;
  const LogPosition end = leads->log.end();
  if (leads->core->committed() != end || checker_.committed_end() != end) return false;
  for (const raft::Member& m : leads->core->membership().members) {
    const Member& member = group_.member(m.id);
    if (member.log.end() != end || member.core->committed() != end) return false;
    if (member.core->leader() != leads->id || member.core->recovering()) return false;
  }
  return true;
}

void RandomRun::converge() {
  log("heal");
  group_.partition({});
  group_.settings.auto_write = group_.settings.auto_sync = group_.settings.auto_install = true;
  for (auto& [id, member] : group_.members()) {
    if (!member.up()) start(member);
    group_.flush_ticks(member, 0);
    group_.installed(member);
    group_.end_sync(member);
    group_.write_all(member);
  }
  bool proposed = false;
  for (int tick = 0; tick < kConvergeTicks && !checker_.violation(); ++tick) {
    for (auto& [id, member] : group_.members()) group_.tick(member);
    for (int round = 0; round < 20; ++round) {
      for (auto& [link, queue] : group_.links()) {
        for (auto n = queue.size(); n > 0 && !checker_.violation(); --n) {
          const Packet packet = std::move(queue.front());
          queue.pop_front();
          log(describe(packet.message));
          group_.deliver(packet);
        }
      }
    }
    if (!agreed()) continue;
    if (proposed) return;
    proposed = group_.propose(*leader(), 10, 1);
  }
  problem_ =
      "no agreement " + std::to_string(kConvergeTicks) + " ticks after everything was healed:";
  for (const auto& [id, member] : group_.members()) *problem_ += "\n" + describe_state(member);
}

}  // namespace gantry::raft::model
