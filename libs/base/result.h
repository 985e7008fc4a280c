// SPDX-License-Identifier: Apache-2.0
// Errors as values. Every function that can fail for a reason outside the program (disk, network,
// configuration, a peer's bytes) returns Result<T>; nothing in libs/ throws.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace gantry {

enum class ErrorCode {
  kInvalidArgument,  // the caller's or the user's value is wrong
  kNotFound,
  kCorrupt,   // bytes from disk or network that do not decode or fail their checksum
  kIo,        // a system call failed; message carries the path and errno text
  kDiskFull,  // ENOSPC or EDQUOT
  kBusy,      // a limit was reached; try again
  kTimeout,
  kUnavailable,  // peer away, shutting down
  kUnsupported,
  kConflict,  // locked, already exists, other owner
};

// What went wrong, where, and what was expected. The message is for people and complete in itself.
struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kInvalidArgument;
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> make_error(ErrorCode code, std::string message) {
  return std::unexpected<Error>(Error{code, std::move(message)});
}

// The only way to drop a Result on purpose; `why` makes every such place searchable.
template <class T>
void ignore_result(const Result<T>& /*result*/, std::string_view /*why*/) {}

}  // namespace gantry

// Propagates the error of a Result<void>-like expression.
#define GANTRY_TRY(expr)                                                       \
  do {                                                                         \
    if (auto gantry_try_ = (expr); !gantry_try_)                               \
      return std::unexpected<::gantry::Error>(std::move(gantry_try_).error()); \
  } while (false)
