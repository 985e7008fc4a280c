// SPDX-License-Identifier: Apache-2.0
#include "raft/quorum.h"

#include <algorithm>
#include <functional>

namespace gantry::raft {

LogPosition quorum_position(std::vector<LogPosition> positions, std::size_t quorum) {
  if (quorum == 0 || positions.size() < quorum) return LogPosition(0);
  std::ranges::sort(positions, std::greater<>());
  return positions[quorum - 1];
}

VoteResult count_votes(const Membership& membership, const std::map<MemberId, Ballot>& ballots,
                       const MemberId& candidate) {
  std::size_t clean = 0;
  std::size_t granted = 0;
  std::size_t refused = 0;
  // A candidate whose removal is not committed yet is none of the voters.
  const auto own = ballots.find(candidate);
  const bool candidate_clean =
      own != ballots.end() && own->second.granted && !own->second.recovering;
  for (const Member& member : membership.members) {
    if (!member.voter) continue;
    const auto it = ballots.find(member.id);
    if (it == ballots.end()) continue;
    if (!it->second.granted) {
      ++refused;
      continue;
    }
    ++granted;
    if (!it->second.recovering) ++clean;
  }
  const std::size_t voters = membership.voter_count();
  if (candidate_clean && clean >= membership.quorum()) return VoteResult::kWon;
  if (voters > 0 && granted == voters) return VoteResult::kWon;
  return voters - refused < membership.quorum() ? VoteResult::kLost : VoteResult::kPending;
}

}  // namespace gantry::raft
