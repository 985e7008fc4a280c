// SPDX-License-Identifier: Apache-2.0
// Between the tables' values and their Protobuf forms. Private to libs/state. Pure functions.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "protocol/data_version.h"
#include "protocol/subscription_group_config.h"
#include "protocol/topic_config.h"
#include "state/commands.h"

namespace gantry::state {

namespace proto {
class DataVersion;
class TopicConfig;
class GroupConfig;
class LockedQueue;
class GroupSubscriptions;
class OpenTransaction;
}  // namespace proto

void to_proto(const protocol::DataVersion& in, proto::DataVersion& out);
protocol::DataVersion from_proto(const proto::DataVersion& in);

void to_proto(const protocol::TopicConfig& in, proto::TopicConfig& out);
// kCorrupt: no name or an unknown enum value.
Result<protocol::TopicConfig> from_proto(const proto::TopicConfig& in);

void to_proto(const protocol::SubscriptionGroupConfig& in, proto::GroupConfig& out);
Result<protocol::SubscriptionGroupConfig> from_proto(const proto::GroupConfig& in);

void to_proto(const LockedQueue& in, proto::LockedQueue& out);
LockedQueue from_proto(const proto::LockedQueue& in);

void to_proto(std::string_view group, const GroupSubscriptions& in, proto::GroupSubscriptions& out);
// Without the group's name. kCorrupt: no name or an unknown enum value.
Result<GroupSubscriptions> from_proto(const proto::GroupSubscriptions& in);

void to_proto(const OpenTransaction& in, proto::OpenTransaction& out);
OpenTransaction from_proto(const proto::OpenTransaction& in);

}  // namespace gantry::state
