// SPDX-License-Identifier: Apache-2.0
// How a command ends: its exit code, and when it failed, what went wrong and what to do next.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::cli {

// Part of the tool's interface: scripts rely on the numbers.
enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,       // refused, damaged, or a part of it did not work
  kUsage = 2,        // the command line makes no sense
  kNotFound = 3,     // topic, group, message or directory does not exist
  kUnreachable = 4,  // no answer from NameServer or broker
};

struct Failure {
  ExitCode code = ExitCode::kFailed;
  std::string message;
  std::string hint;  // the next step; may be empty
};

using Outcome = std::expected<void, Failure>;

ExitCode exit_code_of(ErrorCode code);

// With the hint that fits the error, unless `hint` says it better.
std::unexpected<Failure> fail(const Error& error, std::string hint = {});
std::unexpected<Failure> fail(ExitCode code, std::string message, std::string hint = {});

std::unexpected<Failure> topic_not_found(std::string_view topic);
std::unexpected<Failure> group_not_found(std::string_view group);

}  // namespace gantry::cli
