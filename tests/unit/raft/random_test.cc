// SPDX-License-Identifier: Apache-2.0
// Random runs of model groups. GANTRY_RAFT_SEEDS=a-b (or one number) runs other seeds than the
// usual ones, GANTRY_RAFT_TRACE=1 prints what happens.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tests/unit/raft/random_run.h"

namespace gantry::raft::model {
namespace {

std::pair<std::uint64_t, std::uint64_t> seeds() {
  const char* text = std::getenv("GANTRY_RAFT_SEEDS");
  if (text == nullptr) return {1, 200};
  char* end = nullptr;
  const std::uint64_t first = std::strtoull(text, &end, 10);
  const std::uint64_t last = *end == '-' ? std::strtoull(end + 1, nullptr, 10) : first;
  return {first, last};
}

TEST(RandomRuns, HoldWhatRaftPromises) {
  const auto [first, last] = seeds();
  RandomRun::Outcome sum;
  int failed = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    RandomRun::Plan plan;
    plan.seed = seed;
    plan.trace = std::getenv("GANTRY_RAFT_TRACE") != nullptr;
    const auto outcome = RandomRun(plan).run();
    if (outcome.violation) {
      ADD_FAILURE() << "seed " << seed << ": " << *outcome.violation;
      if (++failed == 10) break;
    }
    sum.committed += outcome.committed;
    sum.terms += outcome.terms;
    sum.installs += outcome.installs;
    sum.power_cuts += outcome.power_cuts;
    sum.changes += outcome.changes;
    sum.transfers += outcome.transfers;
    sum.cuts += outcome.cuts;
  }
  std::printf(
      "%llu runs: %zu records committed, %lld terms, %d cuts, %d installs, %d power cuts, "
      "%d changes of membership, %d transfers\n",
      static_cast<unsigned long long>(last - first + 1), sum.committed,
      static_cast<long long>(sum.terms), sum.cuts, sum.installs, sum.power_cuts, sum.changes,
      sum.transfers);
}

// The checks are worth something only if they find a driver that is wrong.
struct Planted {
  const char* name;
  bool Mistakes::* mistake;
};

class PlantedMistake : public ::testing::TestWithParam<Planted> {};

TEST_P(PlantedMistake, IsFound) {
  constexpr std::uint64_t kSeedsMax = 2000;
  for (std::uint64_t seed = 1; seed <= kSeedsMax; ++seed) {
    RandomRun::Plan plan;
    plan.seed = seed;
    plan.mistakes.*GetParam().mistake = true;
    const auto outcome = RandomRun(plan).run();
    if (!outcome.violation) continue;
    std::printf("%s: seed %llu: %s\n", GetParam().name, static_cast<unsigned long long>(seed),
                outcome.violation->c_str());
    return;
  }
  ADD_FAILURE() << GetParam().name << ": not found in " << kSeedsMax << " runs";
}

INSTANTIATE_TEST_SUITE_P(Driver, PlantedMistake,
                         ::testing::Values(Planted{"ForgetsVote", &Mistakes::forgets_vote},
                                           Planted{"ReportsUnwritten",
                                                   &Mistakes::reports_unwritten},
                                           Planted{"CutUndone", &Mistakes::cut_undone},
                                           Planted{"LateSync", &Mistakes::late_sync},
                                           Planted{"NeverRecovering", &Mistakes::never_recovering}),
                         [](const auto& planted) { return planted.param.name; });

}  // namespace
}  // namespace gantry::raft::model
