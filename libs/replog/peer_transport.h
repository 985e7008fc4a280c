// SPDX-License-Identifier: Apache-2.0
// How a replica's messages reach other members: TCP in a broker, a simulated network in tests. Best
// effort: a message may be lost, late or doubled; never changed. Used on the log shard.
#pragma once

#include <optional>
#include <span>

#include "io/file_system.h"
#include "raft/membership.h"
#include "raft/message.h"

namespace gantry::replog {

class PeerTransport {
 public:
  virtual ~PeerTransport() = default;
  // `bytes` travel beside the message: records of an append, the state of a snapshot. They are
  // valid during the call only.
  virtual void send(const raft::Member& to, const raft::Message& message,
                    std::span<const io::Slice> bytes) = 0;
  // Whether the member takes a state snapshot in pieces; nullopt: it is not connected. Earlier
  // releases take it as one message only.
  virtual std::optional<bool> takes_pieces(const raft::MemberId& to) const = 0;
};

}  // namespace gantry::replog
