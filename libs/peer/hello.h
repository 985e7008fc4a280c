// SPDX-License-Identifier: Apache-2.0
// The first frame in both directions: who speaks, and whether the two belong together. Pure values.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "raft/membership.h"

namespace gantry::peer {

// Of frames and their headers. Another version is refused: what a field means has changed.
inline constexpr std::uint32_t kProtocolVersion = 1;

struct Hello {
  std::uint32_t protocol_version = kProtocolVersion;
  std::string cluster;      // brokerClusterName
  std::string broker_name;  // brokerName
  raft::MemberId member_uuid;
  std::string address;          // the sender's own, host:port, as others should dial it
  std::string client_address;   // where it serves clients, host:port; empty: not said
  std::string http_address;     // where it serves HTTP, host:port; empty: not said
  std::int64_t file_bytes = 0;  // of its CommitLog files
  std::uint32_t feature_level = 0;
  std::uint64_t start = 0;      // how often the sender has started
  std::uint64_t process = 0;    // random, another one at every start
  std::int64_t log_end = 0;     // at its start; a member without a group has none when it is empty
  std::int64_t clock_ms = 0;    // the sender's clock when it sent this, Unix milliseconds
  bool snapshot_pieces = true;  // it takes a state snapshot in pieces
  bool formed = false;          // it belongs to a group:
  raft::Membership membership;  // this one; empty unless formed
  bool given_up = false;        // that group has recovered without it (raft::Core::give_up())
  bool operator==(const Hello&) const = default;
};

// Whether a peer may be talked to; the error is what both sides log. A peer that has our own uuid
// is none of this function's business.
Result<void> check_hello(const Hello& own, const Hello& theirs);

// The peer's group has begun again and has given up the speaker of `own`, or the peer knows of
// that.
bool gives_up(const Hello& theirs, const Hello& own);

}  // namespace gantry::peer
