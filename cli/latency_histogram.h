// SPDX-License-Identifier: Apache-2.0
// Counts latencies in buckets that are at most 1.6 % wide, up to hours. Constant memory, a few
// nanoseconds for each value. Plain value; not thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace gantry::cli {

class LatencyHistogram {
 public:
  void record(std::chrono::microseconds latency);
  void merge(const LatencyHistogram& other);
  void clear() { *this = {}; }

  std::int64_t count() const { return count_; }
  std::chrono::microseconds mean() const;
  std::chrono::microseconds max() const { return std::chrono::microseconds(max_); }
  // The value that `percent` of all values do not pass; 0 when there are none.
  std::chrono::microseconds percentile(double percent) const;

 private:
  // 2^kLinearBits values each have a bucket of their own; from there on, each doubling is cut into
  // 2^(kLinearBits - 1) buckets.
  static constexpr unsigned kLinearBits = 7;
  static constexpr unsigned kValueBits = 34;
  static constexpr std::size_t kBuckets =
      (std::size_t{1} << kLinearBits) +
      (kValueBits - kLinearBits) * (std::size_t{1} << (kLinearBits - 1));

  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t upper_end(std::size_t bucket);

  std::array<std::int64_t, kBuckets> buckets_{};
  std::int64_t count_ = 0;
  std::int64_t sum_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace gantry::cli
