// SPDX-License-Identifier: Apache-2.0
// One random run of a model group: everything that a network, disks, crashes and operators may do
// to it, chosen from a seed. Afterwards the group is healed and has to agree.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/raft/checker.h"

namespace gantry::raft::model {

class RandomRun {
 public:
  struct Plan {
    std::uint64_t seed = 1;
    int steps = 2500;
    bool trace = false;  // to standard error
    Mistakes mistakes;
  };
  struct Outcome {
    std::optional<std::string> violation;
    std::size_t committed = 0;  // records
    std::int64_t terms = 0;
    int installs = 0, power_cuts = 0, changes = 0, transfers = 0, cuts = 0;
  };

  explicit RandomRun(const Plan& plan);
  Outcome run();

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  Member& any();
  Member* any_up();
  Member* leader();

  void step();
  void network();
  void disk();
  void lives();
  void operators();
  void deliver(std::size_t index, bool keep);
  void crash(Member& member);
  void start(Member& member);
  void change(Member& leader);
  void trim(Member& member);
  void converge();
  bool agreed();
  void log(const std::string& line) const;

  const Plan plan_;
  std::mt19937_64 random_;
  Group group_;
  Membership initial_;
  Checker checker_;
  Outcome outcome_;
  std::optional<std::string> problem_;
  MemberId crash_soon_;
};

}  // namespace gantry::raft::model
