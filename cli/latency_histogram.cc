// SPDX-License-Identifier: Apache-2.0
#include "cli/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace gantry::cli {

using std::chrono::microseconds;

std::size_t LatencyHistogram::bucket_of(std::uint64_t value) {
  constexpr std::uint64_t kLinear = std::uint64_t{1} << kLinearBits;
  if (value < kLinear) return value;
  const auto exponent = static_cast<unsigned>(std::bit_width(value)) - kLinearBits;  // >= 1
  const std::uint64_t within = (value >> exponent) - kLinear / 2;
  return std::min<std::size_t>(kLinear + (exponent - 1) * (kLinear / 2) + within, kBuckets - 1);
}

std::uint64_t LatencyHistogram::upper_end(std::size_t bucket) {
  constexpr std::uint64_t kLinear = std::uint64_t{1} << kLinearBits;
  if (bucket < kLinear) return bucket;
  const std::uint64_t above = bucket - kLinear;
  const std::uint64_t exponent = above / (kLinear / 2) + 1;
  const std::uint64_t within = above % (kLinear / 2) + kLinear / 2;
  return ((within + 1) << exponent) - 1;
}

void LatencyHistogram::record(microseconds latency) {
  const std::int64_t value = std::max<std::int64_t>(0, latency.count());
  ++buckets_[bucket_of(static_cast<std::uint64_t>(value))];
  ++count_;
  sum_ += value;
  max_ = std::max(max_, value);
}

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

microseconds LatencyHistogram::mean() const {
  return microseconds(count_ == 0 ? 0 : sum_ / count_);
}

microseconds LatencyHistogram::percentile(double percent) const {
  if (count_ == 0) return microseconds(0);
  const auto rank = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(std::ceil(percent / 100 * static_cast<double>(count_))), 1, count_);
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= rank)
      return microseconds(std::min<std::int64_t>(max_, static_cast<std::int64_t>(upper_end(i))));
  }
  return max();
}

}  // namespace gantry::cli
