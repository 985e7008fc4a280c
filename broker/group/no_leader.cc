// SPDX-License-Identifier: Apache-2.0
#include "broker/group/no_leader.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <vector>

namespace gantry::broker {
namespace {

struct Voters {
  std::size_t answering = 0;
  std::size_t sound = 0;  // of them: may have forgotten nothing
  std::vector<std::string> missing;
};

Voters look(const raft::Core& core, const GroupPeers& peers) {
  Voters voters;
  for (const raft::Member& member : core.membership().members) {
    if (!member.voter) continue;
    const bool self = member.id == core.self();
    if (!self && !peers.hello_of(member.id)) {
      voters.missing.push_back(
          fmt::format("member {} ({} at {})", member.number, member.id, member.address));
      continue;
    }
    const auto heard = core.heard().find(member.id);
    const bool recovering =
        self ? core.recovering() : heard != core.heard().end() && heard->second.recovering;
    ++voters.answering;
    voters.sound += recovering ? 0 : 1;
  }
  return voters;
}

}  // namespace

std::string why_no_leader(const raft::Core& core, const GroupPeers& peers) {
  const raft::Membership& group = core.membership();
  const Voters voters = look(core, peers);
  std::string text = "the broker set has no leader at the moment";
  if (voters.missing.empty()) return text + ": all of its voters answer and elect one";
  const std::string missing = fmt::format("{}", fmt::join(voters.missing, ", "));
  if (voters.sound >= group.quorum()) {
    return text + fmt::format(": {} of its {} voters answer and elect one; missing: {}",
                              voters.answering, group.voter_count(), missing);
  }
  if (voters.answering < group.quorum()) {
    text += fmt::format(": {} of its {} voters answer, {} are needed", voters.answering,
                        group.voter_count(), group.quorum());
  } else {
    text += fmt::format(
        ": of the {} voters that answer only {} cannot have forgotten what they acknowledged (a "
        "power cut, damage), so that all {} have to answer",
        voters.answering, voters.sound, group.voter_count());
  }
  return text + fmt::format(
                    "; missing: {}. Start what is missing; if it is gone for ever, see "
                    "gantry cluster recover",
                    missing);
}

}  // namespace gantry::broker
