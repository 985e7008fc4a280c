// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cstddef>

#include "config/broker_config.h"

namespace gantry::config {
namespace {

std::int64_t unit_of(char letter) {
  switch (letter) {
    case 's':
      return 1000;
    case 'm':
      return 60'000;
    case 'h':
      return 3'600'000;
    case 'd':
      return 86'400'000;
    default:
      return 0;
  }
}

}  // namespace

Result<std::vector<std::int64_t>> parse_delay_levels(std::string_view text) {
  constexpr std::int64_t kLongestMs = 10LL * 365 * 86'400'000;
  std::vector<std::int64_t> levels;
  for (const std::string& item : split_list(text, ' ')) {
    const char* number_end = item.data() + item.size() - 1;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(item.data(), number_end, number);
    const std::int64_t unit = unit_of(*number_end);
    const bool good = error == std::errc() && end == number_end && unit > 0 && number >= 0 &&
                      number <= kLongestMs / unit;
    if (!good) {
      return make_error(ErrorCode::kInvalidArgument,
                        "delay \"" + item + "\" is not a whole number followed by s, m, h or d");
    }
    levels.push_back(number * unit);
  }
  if (levels.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "at least one delay is needed, e.g. \"1s 5s\"");
  }
  return levels;
}

}  // namespace gantry::config
