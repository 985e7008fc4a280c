// SPDX-License-Identifier: Apache-2.0
// What /v1/members, /v1/raft, /v1/maintenance and the probes before and after a restart answer.
// Log shard only.
#pragma once

#include <optional>
#include <string>

#include "base/not_ready.h"
#include "broker/core/context.h"
#include "broker/group/group_peers.h"
#include "broker/group/maintenance.h"

namespace gantry::broker {

// Why this member cannot do its part in its broker set; nothing: it can.
std::optional<NotReady> group_obstacle(const BrokerContext& context, const GroupPeers& peers,
                                       const Maintenance& maintenance);

std::string members_json(const BrokerContext& context, const GroupPeers& peers);
std::string raft_json(const BrokerContext& context, const GroupPeers& peers);
std::string maintenance_json(const BrokerContext& context, const Maintenance& maintenance);
// What would be lost while this member is away.
std::string pre_restart_json(const BrokerContext& context);
// Whether it has caught up after a start.
std::string post_restart_json(const BrokerContext& context, const GroupPeers& peers,
                              const Maintenance& maintenance);

}  // namespace gantry::broker
