// SPDX-License-Identifier: Apache-2.0
// Texts for people and what people type: numbers, sizes, durations, times, bytes. Pure functions
// except where a clock or the time zone is named.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::cli {

// `text` with everything a terminal could act on escaped as \xNN; well-formed UTF-8 stays.
std::string printable(std::string_view text);
// Characters, not bytes.
std::size_t display_width(std::string_view utf8);
bool is_utf8(std::string_view bytes);
std::string base64(std::string_view bytes);

// "1.5 MiB"
std::string format_bytes(double bytes);
// "1,234,567"
std::string format_count(std::int64_t count);
// "870 µs", "12.3 ms", "2.50 s"
std::string format_latency(std::chrono::microseconds latency);
// "350 ms", "12 s", "3 min 4 s", "2 h 5 min", "3 d 4 h"
std::string format_age(std::int64_t ms);
// "2024-05-01 10:00:00.123" in the local time zone; "-" for times that mean "none" (<= 0).
std::string format_time(std::int64_t unix_ms);
// Permission bits as "RW", "R", "W", with X for "inherited by new topics".
std::string format_permission(std::int32_t bits);

// "rw", "r", "w" or the number of RocketMQ (2, 4, 6).
Result<std::int32_t> parse_permission(std::string_view text);
// "250ms", "10s", "5m", "2h", "1d"; no unit: seconds.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
// "512", "4k", "1MiB", "1m": binary units.
Result<std::int64_t> parse_bytes(std::string_view text);
// "now", "10m ago", "2024-05-01", "2024-05-01 10:00[:00[.123]]" (T instead of the space is fine;
// local time zone, or UTC with a final Z), or Unix milliseconds.
Result<std::int64_t> parse_time(std::string_view text, std::int64_t now_ms);

}  // namespace gantry::cli
