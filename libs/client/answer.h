// SPDX-License-Identifier: Apache-2.0
// What an answer of a NameServer or broker means as a Result. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/codes.h"
#include "protocol/command.h"

namespace gantry::client {

// The error an answer stands for: the first line of its remark, and the name of its code. `who` is
// "broker 10.0.0.1:10911". kNotFound: the topic, group or message does not exist; kBusy: worth
// trying again; kInvalidArgument: refused.
Error error_of(const protocol::Command& answer, std::string_view who);

// Everything but SUCCESS is an error.
Result<void> require_success(const protocol::Command& answer, std::string_view who);

bool has_code(const protocol::Command& answer, protocol::ResponseCode code);

// A field of an answer that must be there as a whole number; kCorrupt names field and sender.
Result<std::int64_t> int_field(const protocol::Command& answer, std::string_view name,
                               std::string_view who);
// The same for a text.
Result<std::string> text_field(const protocol::Command& answer, std::string_view name,
                               std::string_view who);

}  // namespace gantry::client
