// SPDX-License-Identifier: Apache-2.0
#include "peer/hello.h"

#include <fmt/core.h>

namespace gantry::peer {
namespace {

std::string speaker(const Hello& hello) {
  return fmt::format("member {} at {}", hello.member_uuid, hello.address);
}

std::string recovery_of(const raft::Membership& membership) {
  return membership.recoveries.empty() ? "without a recovery"
                                       : "after recovery " + membership.recoveries.back().id;
}

// Whether both belong to one group, or one of them to none.
Result<void> check_group(const Hello& own, const Hello& theirs) {
  const auto given_up = [](const Hello& hello) {
    return make_error(
        ErrorCode::kConflict,
        fmt::format("{} was given up when its broker set was recovered ({}): empty its store and "
                    "join it again",
                    speaker(hello), recovery_of(hello.membership)));
  };
  if (!own.formed || !theirs.formed) return {};
  if (own.given_up) return given_up(own);
  if (theirs.given_up) return given_up(theirs);
  if (raft::may_talk(own.membership, own.member_uuid, theirs.membership, theirs.member_uuid)) {
    return {};
  }
  const auto behind = [](const Hello& old, const Hello& now) {
    const bool is_named = now.membership.gave_up(old.member_uuid);
    return make_error(
        ErrorCode::kConflict,
        fmt::format("{} belongs to the broker set {}; {} belongs to the one {}, {}: only an empty "
                    "store can join",
                    speaker(old), recovery_of(old.membership), speaker(now),
                    recovery_of(now.membership),
                    is_named ? "which has given it up" : "which knows nothing of it"));
  };
  switch (raft::kinship(own.membership, theirs.membership)) {
    case raft::Kinship::kOlder:
      return behind(theirs, own);
    case raft::Kinship::kNewer:
      return behind(own, theirs);
    default:
      return make_error(
          ErrorCode::kConflict,
          fmt::format("{} belongs to the broker set {}, {} to the one {}: the set was recovered "
                      "twice, apart from each other. Keep one of the two",
                      speaker(theirs), recovery_of(theirs.membership), speaker(own),
                      recovery_of(own.membership)));
  }
}

}  // namespace

Result<void> check_hello(const Hello& own, const Hello& theirs) {
  const auto refuse = [&](std::string_view what, const auto& ours, const auto& other) {
    return make_error(ErrorCode::kConflict, fmt::format("{} has {} {}, {} has {}", speaker(theirs),
                                                        what, other, speaker(own), ours));
  };
  if (own.protocol_version != theirs.protocol_version) {
    return refuse("protocol version", own.protocol_version, theirs.protocol_version);
  }
  if (own.cluster != theirs.cluster)
    return refuse("brokerClusterName", own.cluster, theirs.cluster);
  if (own.broker_name != theirs.broker_name) {
    return refuse("brokerName", own.broker_name, theirs.broker_name);
  }
  if (own.file_bytes != theirs.file_bytes) {
    return refuse("mappedFileSizeCommitLog", own.file_bytes, theirs.file_bytes);
  }
  return check_group(own, theirs);
}

bool gives_up(const Hello& theirs, const Hello& own) {
  return own.formed && theirs.formed && own.cluster == theirs.cluster &&
         own.broker_name == theirs.broker_name &&
         raft::kinship(own.membership, theirs.membership) == raft::Kinship::kNewer &&
         theirs.membership.gave_up(own.member_uuid);
}

}  // namespace gantry::peer
