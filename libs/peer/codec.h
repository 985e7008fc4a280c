// SPDX-License-Identifier: Apache-2.0
// Between what members say and the header bytes of a frame. Records and state snapshots are the
// frame's body and pass by here only to be counted. Pure functions; whatever decodes is valid as
// far as one message can tell: ids of 32 hexadecimal digits, positions that are not negative and in
// order, a body where there has to be one.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "peer/hello.h"
#include "raft/message.h"

namespace gantry::peer {

// Why the sender does not talk to the receiver; it closes the connection behind it.
struct Refusal {
  std::string reason;
  bool operator==(const Refusal&) const = default;
};

std::string encode(const Hello& hello);
std::string encode(const Refusal& refusal);
// An append's memberships are left out: its receiver reads them from the records.
std::string encode(const raft::Message& message);

using Decoded = std::variant<Hello, Refusal, raft::Message>;
// kCorrupt names what is wrong.
Result<Decoded> decode(std::string_view header, std::size_t body_bytes);

bool valid_member_id(std::string_view id);

}  // namespace gantry::peer
