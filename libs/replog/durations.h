// SPDX-License-Identifier: Apache-2.0
// How long something that waits for a disk or a majority took, counted by size. Owned by whoever
// measures; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace gantry::replog {

struct Durations {
  // Upper bounds in seconds; the last bucket is open.
  static constexpr std::array<double, 12> kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                     0.01,   0.025,   0.05,   0.1,   0.5,    2.5};

  void add(std::int64_t us) {
    const double seconds = static_cast<double>(us) / 1e6;
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
    ++counts[bucket];
    sum_us += us;
  }

  std::array<std::int64_t, kBounds.size() + 1> counts{};
  std::int64_t sum_us = 0;
};

}  // namespace gantry::replog
