// SPDX-License-Identifier: Apache-2.0
// Rates of one counter over the last minute, hour and day, from samples, as RocketMQ reports them
// (code 315): every 10 s for the minute, every 10 min for the hour, every hour for the day.
#pragma once

#include <cstdint>
#include <deque>

namespace gantry::broker {

struct StatsWindow {
  std::int64_t sum = 0;
  double tps = 0;
  double avgpt = 0;  // sum per recorded event
};

class StatsItem {
 public:
  // Call every 10 s with the counter's value and the number of events that made it.
  void sample(std::int64_t now_ms, std::int64_t value, std::int64_t times);
  StatsWindow minute() const { return window(minute_); }
  StatsWindow hour() const { return window(hour_); }
  StatsWindow day() const { return window(day_); }
  // Events a second over the last `seconds`, 10 to 600.
  double rate(std::int64_t seconds) const;

 private:
  struct Sample {
    std::int64_t time_ms, value, times;
  };
  static StatsWindow window(const std::deque<Sample>& samples);
  static void push(std::deque<Sample>& samples, const Sample& sample, std::int64_t every_ms,
                   std::size_t keep);

  std::deque<Sample> minute_, hour_, day_;
  std::deque<Sample> recent_;  // every 10 s, ten minutes
};

}  // namespace gantry::broker
