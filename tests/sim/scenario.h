// SPDX-License-Identifier: Apache-2.0
// One seed: load on a broker set while machines, disks, clocks and the network fail, then healing.
// Throws Violation when a guarantee is broken.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace gantry::simtest {

struct RunResult {
  std::uint64_t acknowledged = 0;
  std::uint64_t committed_bytes = 0;
  std::uint64_t trace = 0;  // equal for equal seeds
  std::int64_t virtual_ms = 0;
  std::uint64_t steps = 0;            // events, and what was done to disks
  std::map<std::string, int> faults;  // how often each happened
};

// What a seed means. A new kind of fault makes a new generation, so that seeds that have failed
// once stay what they were.
enum class Generation : std::uint8_t {
  kFixedMembers = 1,
  kChangingMembers = 2,  // and disks that are lost
  kElectionStorms = 3,   // and appends of few records; compares queues as well
  kSubscriptions = 4,    // of consumer groups are in the load
  kSnapshotPieces = 5,   // snapshots go in small pieces
};
constexpr Generation kNewestGeneration = Generation::kSnapshotPieces;

RunResult run_seed(std::uint64_t seed, Generation generation);

}  // namespace gantry::simtest
