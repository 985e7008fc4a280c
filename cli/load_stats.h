// SPDX-License-Identifier: Apache-2.0
// What a load generator has counted. Plain value.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "cli/latency_histogram.h"

namespace gantry::cli {

// Failures whose texts differ only in numbers (times, queue sizes) are of one kind.
struct ErrorKind {
  std::string example;
  std::int64_t count = 0;
};

struct LoadStats {
  std::int64_t messages = 0;
  std::int64_t bytes = 0;  // of bodies
  std::int64_t errors = 0;
  std::map<std::string, ErrorKind> error_kinds;  // the first few
  LatencyHistogram latency;                      // of one request
  LatencyHistogram end_to_end;                   // from sending to arrival, where measured

  void count_error(const std::string& text) {
    ++errors;
    add_kind(text, 1);
  }

  void merge(const LoadStats& other) {
    messages += other.messages;
    bytes += other.bytes;
    errors += other.errors;
    for (const auto& [key, kind] : other.error_kinds) add_kind(kind.example, kind.count);
    latency.merge(other.latency);
    end_to_end.merge(other.end_to_end);
  }

 private:
  static std::string key_of(const std::string& text) {
    std::string key;
    for (const char c : text) {
      const bool digit = c >= '0' && c <= '9';
      if (!digit) key += c;
      if (digit && !key.ends_with('#')) key += '#';
    }
    return key;
  }

  void add_kind(const std::string& text, std::int64_t count) {
    constexpr std::size_t kKindsMax = 10;
    std::string key = key_of(text);
    const auto known = error_kinds.find(key);
    if (known != error_kinds.end()) {
      known->second.count += count;
    } else if (error_kinds.size() < kKindsMax) {
      error_kinds.emplace(std::move(key), ErrorKind{text, count});
    }
  }
};

}  // namespace gantry::cli
