// SPDX-License-Identifier: Apache-2.0
// Whoever runs the broker set: adds machines, removes members, and replaces those whose disks are
// lost. Asks whom it takes for the leader, one step at a time; a step may be refused or its answer
// lost, then it looks again and asks again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/cluster.h"

namespace gantry::simtest {

class Operator {
 public:
  // `counts` outlives the cluster.
  Operator(Cluster& cluster, std::map<std::string, int>& counts)
      : cluster_(cluster), counts_(counts) {}

  // The nodes that there are have formed the group; steps are taken from now on.
  void begin();
  // Asks `node`, which has just been elected, without waiting for it to decide.
  void ask_at_once(Node& node);
  // From now on nothing new is begun.
  void finish() { finishing_ = true; }
  // The group has the members it was to have. Throws Violation.
  void check_done();

  // Faults. What they lead to takes its time.
  void add_machine();
  void remove_member();
  void lose_disk() { disk_to_lose_ = true; }
  // The log is about to begin at `begin`.
  void note_trim(LogPosition begin) { trimmed_ = std::max(trimmed_, begin); }

 private:
  enum class Goal : std::uint8_t { kVoter, kLearner, kRemoved };
  struct Step {
    const char* name;
    raft::Membership next;
  };

  void act_later();
  void act();
  void step(Node& leader);
  std::vector<Step> steps(Node& leader);
  void add_step(std::vector<Step>& steps, Node& leader, Node& node, Goal goal);
  bool can_decide(const raft::Membership& next);
  bool dependable(Node* node);
  void try_lose_disk();
  void try_take_away();
  std::size_t wanted(Goal goal) const;
  std::int64_t random(std::int64_t bound) { return cluster_.world.random(bound); }
  bool one_in(std::int64_t n) { return cluster_.world.one_in(n); }

  Cluster& cluster_;
  std::map<std::string, int>& counts_;
  std::map<int, Goal> goals_;  // by node; those taken away are not in it
  bool disk_to_lose_ = false, finishing_ = false;
  LogPosition trimmed_;
};

}  // namespace gantry::simtest
