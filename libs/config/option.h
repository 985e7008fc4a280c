// SPDX-License-Identifier: Apache-2.0
// What one configuration key accepts, and how its text becomes a value. Pure functions.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace gantry::config {

enum class OptionType {
  kBool,  // true | false
  kInt,   // 32-bit
  kLong,  // 64-bit
  kDouble,
  kString,
  kEnum,      // one of `enum_values`
  kList,      // `;` between items
  kSize,      // bytes: a plain number or with KiB, MiB, GiB (also k, m, g: powers of 1024)
  kDuration,  // a plain number in `unit` (RocketMQ's way) or with ms, s, m, h, d
};

// What a change at run time does (codes 25 and 318).
enum class Change {
  kLive,     // takes effect at once
  kRestart,  // accepted and kept; takes effect when the process starts again
};

// Unit of a plain number of a kDuration key; also the unit in which the value is kept.
enum class TimeUnit { kNone, kMillis, kSeconds, kHours };

struct OptionSpec {
  std::string_view key;
  OptionType type = OptionType::kString;
  std::string_view description = {};
  Change change = Change::kRestart;
  TimeUnit unit = TimeUnit::kNone;
  double min = std::numeric_limits<double>::lowest();  // inclusive; numbers only
  double max = std::numeric_limits<double>::max();
  std::span<const std::string_view> enum_values = {};
  std::string_view default_note = {};  // for the documentation, if the default depends on the host
  bool gantry_only = false;            // not a key of RocketMQ
};

// bool, integer (also index into enum_values), double, text, list items.
using OptionValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

// The error's message says only what was expected, e.g. "expected an integer from 1 to 65535"; the
// caller puts file, line, key and value before it.
Result<OptionValue> parse_option(const OptionSpec& spec, std::string_view text);

// "an integer from 1 to 65535", "one of ASYNC_FLUSH, SYNC_FLUSH".
std::string expected_text(const OptionSpec& spec);

// The candidate with the smallest edit distance to `key`, ignoring case; empty if none is close
// enough to be a typing mistake.
std::string_view nearest_key(std::string_view key, std::span<const std::string_view> candidates);

// Items between `separator`s, without surrounding blanks; empty items are dropped.
std::vector<std::string> split_list(std::string_view text, char separator = ';');

}  // namespace gantry::config
