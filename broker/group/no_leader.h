// SPDX-License-Identifier: Apache-2.0
// Why a broker set has no leader, as far as one of its members can tell. Log shard only.
#pragma once

#include <string>

#include "broker/group/group_peers.h"

namespace gantry::broker {

// For people: which voters are missing, whether the others can do without them, and what to do.
std::string why_no_leader(const raft::Core& core, const GroupPeers& peers);

}  // namespace gantry::broker
