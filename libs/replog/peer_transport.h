// SPDX-License-Identifier: Apache-2.0
// How a replica's messages reach other members: TCP in a broker, a simulated network in tests. Best
// effort: a message may be lost, late or doubled; never changed. Used on the log shard.
#pragma once

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
};

}  // namespace gantry::replog
