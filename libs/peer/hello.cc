// SPDX-License-Identifier: Apache-2.0
#include "peer/hello.h"

#include <fmt/core.h>

namespace gantry::peer {
namespace {

std::string speaker(const Hello& hello) {
  return fmt::format("member {} at {}", hello.member_uuid, hello.address);
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
  return {};
}

}  // namespace gantry::peer
