// SPDX-License-Identifier: Apache-2.0
// What a benchmark run has measured, second by second and in total, as text and as JSON.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/load_stats.h"

namespace gantry::cli {

class BenchReport {
 public:
  // `verb`: "sent", "received". Seconds are shown on stderr when a person watches or `progress`.
  BenchReport(Context& context, std::string verb, bool progress);

  // Starts the measured time, forgetting what came before (a warm-up).
  void begin();
  // What came since the last call.
  void add(const LoadStats& stats);
  // Ends the measured time.
  void end();

  bool failed_only() const { return total_.messages == 0 && total_.errors > 0; }
  const LoadStats& total() const { return total_; }
  double seconds() const;
  std::string text() const;
  nlohmann::ordered_json json() const;
  // A Failure when requests have failed.
  Outcome outcome() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  // Of one second, small enough to keep for hours.
  struct Latency {
    std::chrono::microseconds p50{0}, p99{0}, max{0};
  };
  struct Second {
    double seconds = 0;
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
    std::int64_t errors = 0;
    Latency latency;
  };
  void show(double at, const Second& second);

  Context& context_;
  const std::string verb_;
  const bool progress_;
  Time begin_;
  Time last_;
  Time end_;
  LoadStats total_;
  std::vector<Second> seconds_;
};

}  // namespace gantry::cli
