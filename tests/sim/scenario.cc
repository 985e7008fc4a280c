// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/scenario.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "tests/sim/cluster.h"
#include "tests/sim/operator.h"

namespace gantry::simtest {
namespace {

constexpr std::int64_t kMs = 1000;
constexpr std::int64_t kFaultsForMs = 20'000;
constexpr std::int64_t kHealedForMs = 30'000;
// Runs that end take a twentieth of it.
constexpr std::uint64_t kStepsMax = 5'000'000;
// By generation, each with those before it.
constexpr int kFaults = 14;
constexpr int kFaultsOfMembers = kFaults + 5;
constexpr int kFaultsOfStorms = kFaultsOfMembers + 4;

ClusterOptions options_for(std::uint64_t seed, Generation generation) {
  ClusterOptions options;
  options.nodes = seed % 4 == 3 ? 5 : 3;
  options.sync_flush = seed % 3 != 2;
  options.known_topic = generation >= Generation::kElectionStorms;
  options.subscriptions = generation >= Generation::kSubscriptions;
  if (generation >= Generation::kElectionStorms && seed % 5 < 3) {
    options.append_bytes_max = 512 << (seed % 5);
  }
  if (generation >= Generation::kSnapshotPieces) options.snapshot_piece_bytes = 64 << (seed % 4);
  return options;
}

class Scenario {
 public:
  Scenario(std::uint64_t seed, Generation generation)
      : generation_(generation),
        cluster_(seed, options_for(seed, generation)),
        operator_(cluster_, result_.faults) {
    cluster_.on_process_ended = [this](Node& node) { restart_later(node); };
    if (generation >= Generation::kElectionStorms) {
      cluster_.on_leader = [this](Node& node) { storm_hits(node); };
      cluster_.on_elected = [this](Node& node) {
        if (now_ms() < kFaultsForMs && cluster_.world.one_in(2)) operator_.ask_at_once(node);
      };
    }
  }

  RunResult run() {
    cluster_.world.steps_max = kStepsMax;
    cluster_.form();
    if (changing_members()) operator_.begin();
    work();
    plan_fault();
    while (now_ms() < kFaultsForMs) {
      cluster_.world.run_until(cluster_.world.now_us() + 20 * kMs);
      cluster_.check();
    }
    heal();
    const std::int64_t healed_until = now_ms() + kHealedForMs;
    while (now_ms() < healed_until) {
      cluster_.world.run_until(cluster_.world.now_us() + 50 * kMs);
      cluster_.check();
    }
    const std::uint64_t before = cluster_.acknowledged();
    const std::int64_t term = leading_term();
    load_until_ms_ = now_ms() + 1000;
    work();
    cluster_.world.run_until(cluster_.world.now_us() + 5000 * kMs);
    cluster_.check_converged();
    if (cluster_.acknowledged() == before) throw Violation{"healed, but nothing is acknowledged"};
    if (leading_term() != term) {
      throw Violation{
          fmt::format("healed, but term {} did not last: now it is {}", term, leading_term())};
    }
    if (changing_members()) operator_.check_done();
    result_.acknowledged = cluster_.acknowledged();
    result_.committed_bytes = cluster_.committed_bytes();
    result_.trace = cluster_.trace_hash();
    result_.virtual_ms = now_ms();
    result_.steps = cluster_.world.steps();
    return result_;
  }

 private:
  bool changing_members() const { return generation_ >= Generation::kChangingMembers; }
  std::int64_t now_ms() const { return cluster_.world.now_us() / kMs; }
  std::int64_t leading_term() {
    Node* leader = cluster_.leader();
    return leader == nullptr ? 0 : leader->storage().log().term().v;
  }
  Node& any() {
    return cluster_.node(
        static_cast<int>(random(static_cast<std::int64_t>(cluster_.nodes().size()))));
  }
  std::int64_t random(std::int64_t bound) { return cluster_.world.random(bound); }

  void work() {
    if (now_ms() >= load_until_ms_) return;
    const std::int64_t burst = cluster_.world.one_in(20) ? 50 : 1 + random(4);
    for (std::int64_t i = 0; i < burst; ++i) cluster_.produce();
    if (cluster_.world.one_in(10)) cluster_.change_state();
    cluster_.world.at(random(20) * kMs, [this] { work(); });
  }

  void plan_fault() {
    cluster_.world.at((50 + random(700)) * kMs, [this] {
      if (now_ms() >= kFaultsForMs) return;
      fault();
      plan_fault();
    });
  }

  void count(const char* name) { ++result_.faults[name]; }

  void fault() {
    switch (random(kinds_of_faults())) {
      case 0:
        return kill(any(), "kill");
      case 1:
        if (Node* leader = cluster_.leader()) kill(*leader, "kill leader");
        return;
      case 2:
        return power_cut();
      case 3:
        return partition();
      case 4:
        count("network heals");
        return cluster_.network.heal();
      case 5:
        return bad_network();
      case 6:
        return pause();
      case 7:
        count("clock jumps");
        any().clock.skew_ms += random(20'000) - 10'000;
        return;
      case 8:
        return slow_disk();
      case 9:
        return failing_disk();
      case 10:
        return full_disk();
      case 11:
        return transfer();
      case 12:
        return rot();
      case 13:
        return trim();
      case kFaults:
      case kFaults + 1:
        return operator_.add_machine();
      case kFaults + 2:
      case kFaults + 3:
        return operator_.remove_member();
      case kFaults + 4:
        return operator_.lose_disk();
      default:
        return election_storm();
    }
  }

  std::int64_t kinds_of_faults() const {
    if (generation_ >= Generation::kElectionStorms) return kFaultsOfStorms;
    return changing_members() ? kFaultsOfMembers : kFaults;
  }

  void restart_later(Node& node) {
    cluster_.world.at((10 + random(3000)) * kMs, [&node] { node.start(); });
  }

  void kill(Node& node, const char* name) {
    if (!node.up()) return;
    count(name);
    node.kill();
    restart_later(node);
  }

  // Without SYNC_FLUSH what a majority forgets at once is lost: at most one member at a time. Who
  // may have forgotten something waits for all the others before it votes, so nobody may while one
  // of them has gone for good.
  bool may_lose_memory(const Node& node) {
    return cluster_.options.sync_flush ? !cluster_.voter_lost() : cluster_.voters_whole(&node);
  }

  void power_cut() {
    if (cluster_.options.sync_flush && cluster_.world.one_in(6)) {
      if (cluster_.voter_lost()) return;
      count("power cut of all");
      for (auto& node : cluster_.nodes()) {
        node->cut_power();
        restart_later(*node);
      }
      return;
    }
    Node& node = any();
    if (!node.up() || !may_lose_memory(node)) return;
    count("power cut");
    node.cut_power();
    restart_later(node);
  }

  // For some seconds whoever begins to lead does not get far, messages overtake each other, so that
  // members stand against each other in one term, and one of them crashes again and again.
  void election_storm() {
    count("election storm");
    storm_until_ms_ = now_ms() + 1000 + random(5000);
    cluster_.network.slow_one_in = 1 + random(3);
    if (cluster_.world.one_in(2)) crash_loop(any());
    if (Node* leader = cluster_.leader()) storm_hits(*leader);
  }

  void storm_hits(Node& node) {
    if (now_ms() >= storm_until_ms_ || now_ms() >= kFaultsForMs) return;
    cluster_.world.at(random(cluster_.world.one_in(2) ? 20 : 400) * kMs, [this, &node] {
      if (!node.up() || now_ms() >= kFaultsForMs) return;
      switch (random(6)) {
        case 0:
          return kill(node, "kill of a new leader");
        case 1:
          if (!may_lose_memory(node)) return;
          count("power cut of a new leader");
          node.cut_power();
          return restart_later(node);
        case 2:
          count("pause of a new leader");
          return node.pause(random(3000) * kMs);
        case 3:
        case 4:
          return lagging_leader(node);
        default:
          return isolate(node);
      }
    });
  }

  // Its disk is the last one to have what it sends; then it loses that, and some of those that have
  // it do not answer for a while.
  void lagging_leader(Node& node) {
    count("leader with a lagging disk");
    node.loop().delays.slow_one_in = 1;
    node.loop().delays.slow_worker_us = 3000 * kMs;
    cluster_.world.at((20 + random(500)) * kMs, [this, &node] {
      if (!node.leading() || now_ms() >= kFaultsForMs) return;
      for (auto& other : cluster_.nodes()) {
        if (other.get() == &node || !other->up() || !cluster_.world.one_in(2)) continue;
        other->pause((2000 + random(4000)) * kMs);
      }
      if (may_lose_memory(node)) {
        count("power cut of a leader with a lagging disk");
        node.cut_power();
      } else {
        node.kill();
      }
      cluster_.world.at(random(200) * kMs, [&node] { node.start(); });
    });
  }

  // From some of the others, in one direction or both.
  void isolate(Node& node) {
    count("isolated new leader");
    for (auto& other : cluster_.nodes()) {
      if (other.get() == &node || cluster_.world.one_in(3)) continue;
      if (!cluster_.world.one_in(3)) cluster_.network.cut(node.number(), other->number());
      if (!cluster_.world.one_in(3)) cluster_.network.cut(other->number(), node.number());
    }
    cluster_.world.at((500 + random(3000)) * kMs, [this] { cluster_.network.heal(); });
  }

  void crash_loop(Node& node) {
    if (now_ms() >= std::min(storm_until_ms_, kFaultsForMs)) return;
    cluster_.world.at(random(300) * kMs, [this, &node] {
      if (node.up()) {
        count("crash in a loop");
        node.kill();
        cluster_.world.at(random(10) * kMs, [&node] { node.start(); });
      }
      crash_loop(node);
    });
  }

  void partition() {
    count("partition");
    const int nodes = static_cast<int>(cluster_.nodes().size());
    if (cluster_.world.one_in(3)) {  // one way
      const int from = static_cast<int>(random(nodes));
      for (int to = 0; to < nodes; ++to) {
        if (to != from) cluster_.network.cut(from, to);
      }
      return;
    }
    std::vector<bool> side(static_cast<std::size_t>(nodes));
    for (auto&& s : side) s = cluster_.world.one_in(2);
    for (int a = 0; a < nodes; ++a) {
      for (int b = 0; b < nodes; ++b) {
        if (side[static_cast<std::size_t>(a)] != side[static_cast<std::size_t>(b)]) {
          cluster_.network.cut(a, b);
        }
      }
    }
  }

  void bad_network() {
    count("bad network");
    cluster_.network.lose_one_in = random(3) == 0 ? 0 : 5 + random(50);
    cluster_.network.double_one_in = random(3) == 0 ? 0 : 5 + random(50);
    cluster_.network.slow_one_in = random(3) == 0 ? 0 : 3 + random(30);
    cluster_.network.clog(any().number(), any().number(), random(3000) * kMs);
  }

  void pause() {
    Node& node = any();
    if (!node.up()) return;
    count("pause");
    node.pause(random(4000) * kMs);
  }

  void slow_disk() {
    Node& node = any();
    if (!node.up()) return;
    count("slow disk");
    node.loop().delays.slow_one_in = cluster_.world.one_in(2) ? 0 : 1 + random(20);
    node.loop().delays.slow_worker_us = random(3000) * kMs;
  }

  void failing_disk() {
    Node& node = any();
    if (!node.up()) return;
    count("failing disk");
    node.fail_syncs(true);
    cluster_.world.at((100 + random(2000)) * kMs, [this, &node] {
      node.fail_syncs(false);
      if (!node.up()) restart_later(node);
    });
  }

  void full_disk() {
    Node& node = any();
    count("full disk");
    node.refuse_space(true);
    cluster_.world.at(random(3000) * kMs, [&node] { node.refuse_space(false); });
  }

  void transfer() {
    Node* leader = cluster_.leader();
    if (leader == nullptr) return;
    count("transfer");
    leader->loop().post([leader] {
      ignore_result(leader->storage().replica().transfer({}), "refused while nobody can take over");
    });
  }

  // One damaged member at a time, while every other one is whole: a quorum keeps every byte.
  void rot() {
    Node& node = any();
    if (!node.up() || !cluster_.voters_whole(&node)) return;
    node.kill();
    if (node.rot()) count("rot");
    restart_later(node);
  }

  void trim() {
    Node* leader = cluster_.leader();
    if (leader == nullptr) return;
    leader->loop().post([this, leader] {
      if (!leader->leading()) return;
      const replog::Log& log = leader->storage().log();
      const std::int64_t whole_files = (log.committed() - log.begin()) / log.file_bytes();
      if (whole_files < 3) return;
      // Whoever is behind it begins anew and does not vote until it has caught up: with a voter
      // less, nobody could be elected meanwhile.
      if (cluster_.voter_lost()) return;
      count("trim");
      const LogPosition begin = log.begin() + (1 + random(whole_files - 2)) * log.file_bytes();
      operator_.note_trim(begin);
      leader->storage().propose_trim(begin, [](const Result<void>&) {});
    });
  }

  void heal() {
    load_until_ms_ = now_ms();
    operator_.finish();
    cluster_.network.heal();
    cluster_.network.lose_one_in = cluster_.network.double_one_in = cluster_.network.slow_one_in =
        0;
    for (auto& node : cluster_.nodes()) {
      node->fail_syncs(false);
      node->refuse_space(false);
      if (node->up()) node->loop().delays = {};
      cluster_.world.at(4000 * kMs, [n = node.get()] { n->start(); });
    }
  }

  const Generation generation_;
  RunResult result_;
  Cluster cluster_;
  Operator operator_;
  std::int64_t load_until_ms_ = kFaultsForMs, storm_until_ms_ = 0;
};

}  // namespace

RunResult run_seed(std::uint64_t seed, Generation generation) {
  try {
    return Scenario(seed, generation).run();
  } catch (const sim::StepsExhausted& end) {
    throw Violation{fmt::format("does not end: {} steps, and only {} ms have passed", end.steps,
                                end.at_us / kMs)};
  }
}

}  // namespace gantry::simtest
