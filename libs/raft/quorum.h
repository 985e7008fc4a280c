// SPDX-License-Identifier: Apache-2.0
// The arithmetic of majorities, as pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/types.h"
#include "raft/membership.h"

namespace gantry::raft {

// The largest position that at least `quorum` of `positions` have reached; 0 without one.
LogPosition quorum_position(std::vector<LogPosition> positions, std::size_t quorum);

struct Ballot {
  bool granted = false;
  bool recovering = false;
};

enum class VoteResult : std::uint8_t { kPending, kWon, kLost };

// Won: a majority of voters that have forgotten nothing granted a candidate that has forgotten
// nothing, or every voter granted. `ballots` may hold members that are no voters.
VoteResult count_votes(const Membership& membership, const std::map<MemberId, Ballot>& ballots,
                       const MemberId& candidate);

}  // namespace gantry::raft
