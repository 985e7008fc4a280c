// SPDX-License-Identifier: Apache-2.0
// What a load generator has counted. Plain value.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "cli/latency_histogram.h"

namespace gantry::cli {

struct LoadStats {
  std::int64_t messages = 0;
  std::int64_t bytes = 0;  // of bodies
  std::int64_t errors = 0;
  std::map<std::string, std::int64_t> error_texts;  // the first few kinds
  LatencyHistogram latency;                         // of one request
  LatencyHistogram end_to_end;                      // from sending to arrival, where measured

  void count_error(const std::string& text) {
    constexpr std::size_t kKindsMax = 10;
    ++errors;
    const auto known = error_texts.find(text);
    if (known != error_texts.end()) {
      ++known->second;
    } else if (error_texts.size() < kKindsMax) {
      error_texts.emplace(text, 1);
    }
  }

  void merge(const LoadStats& other) {
    messages += other.messages;
    bytes += other.bytes;
    errors += other.errors;
    for (const auto& [text, count] : other.error_texts) error_texts[text] += count;
    latency.merge(other.latency);
    end_to_end.merge(other.end_to_end);
  }
};

}  // namespace gantry::cli
