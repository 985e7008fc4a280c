// SPDX-License-Identifier: Apache-2.0
#include "cli/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace gantry::cli {
namespace {

using std::chrono::microseconds;

TEST(LatencyHistogram, EmptyIsZero) {
  const LatencyHistogram empty;
  EXPECT_EQ(empty.count(), 0);
  EXPECT_EQ(empty.percentile(99), microseconds(0));
  EXPECT_EQ(empty.mean(), microseconds(0));
}

TEST(LatencyHistogram, SmallValuesAreExact) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.record(microseconds(i));
  EXPECT_EQ(histogram.percentile(50), microseconds(50));
  EXPECT_EQ(histogram.percentile(99), microseconds(99));
  EXPECT_EQ(histogram.percentile(100), microseconds(100));
  EXPECT_EQ(histogram.percentile(0), microseconds(1));
  EXPECT_EQ(histogram.mean(), microseconds(50));
  EXPECT_EQ(histogram.max(), microseconds(100));
}

TEST(LatencyHistogram, LargeValuesAreCloseToSorting) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> values(8, 3);
  LatencyHistogram histogram;
  std::vector<std::int64_t> all;
  for (int i = 0; i < 20'000; ++i) {
    const auto value = static_cast<std::int64_t>(values(random));
    histogram.record(microseconds(value));
    all.push_back(value);
  }
  std::ranges::sort(all);
  for (const double percent : {1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(all.size()))) - 1;
    const auto exact = static_cast<double>(all[rank]);
    const auto shown = static_cast<double>(histogram.percentile(percent).count());
    EXPECT_GE(shown, exact) << percent;
    EXPECT_LE(shown, exact * 1.016 + 1) << percent;
  }
}

TEST(LatencyHistogram, EndsDoNotOverflow) {
  LatencyHistogram histogram;
  histogram.record(microseconds(-5));
  EXPECT_EQ(histogram.percentile(100), microseconds(0));
  histogram.record(microseconds(std::int64_t{1} << 50));
  EXPECT_EQ(histogram.max(), microseconds(std::int64_t{1} << 50));
  EXPECT_GT(histogram.percentile(100), std::chrono::hours(4));
}

TEST(LatencyHistogram, MergingAddsUp) {
  LatencyHistogram a;
  LatencyHistogram b;
  for (int i = 0; i < 50; ++i) a.record(microseconds(10));
  for (int i = 0; i < 50; ++i) b.record(microseconds(5000));
  a.merge(b);
  EXPECT_EQ(a.count(), 100);
  EXPECT_EQ(a.percentile(50), microseconds(10));
  EXPECT_NEAR(static_cast<double>(a.percentile(51).count()), 5000, 80);
  EXPECT_EQ(a.max(), microseconds(5000));
}

}  // namespace
}  // namespace gantry::cli
