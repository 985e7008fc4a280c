// SPDX-License-Identifier: Apache-2.0
// A property that tells when a message of this run was sent, on the clock of this process.
#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::cli {

inline constexpr std::string_view kArrivalMark = "BENCH_SENT";

inline std::string arrival_mark(std::string_view prefix,
                                std::chrono::steady_clock::time_point sent) {
  const auto us =
      std::chrono::duration_cast<std::chrono::microseconds>(sent.time_since_epoch()).count();
  return std::string(prefix) + std::to_string(us);
}

// How long ago that was; nullopt for messages of others.
inline std::optional<std::chrono::microseconds> since_mark(
    std::string_view prefix, std::string_view mark, std::chrono::steady_clock::time_point now) {
  if (!mark.starts_with(prefix)) return std::nullopt;
  mark.remove_prefix(prefix.size());
  std::int64_t us = 0;
  const auto [end, error] = std::from_chars(mark.data(), mark.data() + mark.size(), us);
  if (error != std::errc{} || end != mark.data() + mark.size()) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()) -
         std::chrono::microseconds(us);
}

}  // namespace gantry::cli
