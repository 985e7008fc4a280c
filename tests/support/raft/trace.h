// SPDX-License-Identifier: Apache-2.0
// What happens in a model group, as lines of text.
#pragma once

#include <string>

#include "tests/support/raft/group.h"

namespace gantry::raft::model {

std::string describe(const Message& message);
std::string describe(const Membership& membership);
std::string describe_epochs(std::span<const Epoch> epochs);
// One line for each thing that an output asks for, except its messages.
std::string describe(const Member& member, const Output& output);
// Role, term, leader and positions in one line.
std::string describe_state(const Member& member);
// What the leader knows about the others, a line each.
std::string describe_progress(const Member& member);
std::string describe_log(const Member& member);

}  // namespace gantry::raft::model
