// SPDX-License-Identifier: Apache-2.0
#include "cli/failure.h"

#include <fmt/core.h>

namespace gantry::cli {
namespace {

std::string default_hint(const Error& error) {
  if (exit_code_of(error.code) == ExitCode::kUnreachable) {
    return error.message.starts_with("NameServer")
               ? "Is it running? Name another one with --namesrv HOST:PORT or NAMESRV_ADDR, or "
                 "start one here with: gantry up --data DIR"
               : "The NameServer gave this address. Is the broker running, and can its address be "
                 "reached from here? See: gantry cluster";
  }
  if (error.code == ErrorCode::kBusy) return "Try again in a moment.";
  return {};
}

}  // namespace

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return ExitCode::kNotFound;
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
      return ExitCode::kUnreachable;
    default:
      return ExitCode::kFailed;
  }
}

std::unexpected<Failure> fail(const Error& error, std::string hint) {
  return std::unexpected(Failure{exit_code_of(error.code), error.message,
                                 hint.empty() ? default_hint(error) : std::move(hint)});
}

std::unexpected<Failure> fail(ExitCode code, std::string message, std::string hint) {
  return std::unexpected(Failure{code, std::move(message), std::move(hint)});
}

std::unexpected<Failure> topic_not_found(std::string_view topic) {
  return fail(ExitCode::kNotFound, fmt::format("topic {} does not exist", topic),
              fmt::format("See what there is with: gantry topic list\n"
                          "Make it with: gantry topic create {}",
                          topic));
}

std::unexpected<Failure> group_not_found(std::string_view group) {
  return fail(ExitCode::kNotFound, fmt::format("no broker knows the group {}", group),
              "See what there is with: gantry group list");
}

}  // namespace gantry::cli
