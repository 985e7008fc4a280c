// SPDX-License-Identifier: Apache-2.0
#include "broker/core/stats_item.h"

namespace gantry::broker {
namespace {
constexpr std::int64_t kSecond = 1000;
}

void StatsItem::push(std::deque<Sample>& samples, const Sample& sample, std::int64_t every_ms,
                     std::size_t keep) {
  // Half a period of slack: timers are not exact.
  if (!samples.empty() && sample.time_ms - samples.back().time_ms < every_ms - kSecond / 2) return;
  samples.push_back(sample);
  while (samples.size() > keep) samples.pop_front();
}

void StatsItem::sample(std::int64_t now_ms, std::int64_t value, std::int64_t times) {
  const Sample s{now_ms, value, times};
  // A counter that is new counted from zero within the last period.
  if (minute_.empty() && value != 0) sample(now_ms - 10 * kSecond, 0, 0);
  push(minute_, s, 10 * kSecond, 7);
  push(hour_, s, 600 * kSecond, 7);
  push(day_, s, 3600 * kSecond, 25);
  push(recent_, s, 10 * kSecond, 61);
}

StatsWindow StatsItem::window(const std::deque<Sample>& samples) {
  StatsWindow w;
  if (samples.size() < 2) return w;
  const Sample& first = samples.front();
  const Sample& last = samples.back();
  w.sum = last.value - first.value;
  const std::int64_t ms = last.time_ms - first.time_ms;
  if (ms > 0) w.tps = static_cast<double>(w.sum) * 1000 / static_cast<double>(ms);
  if (last.times > first.times) {
    w.avgpt = static_cast<double>(w.sum) / static_cast<double>(last.times - first.times);
  }
  return w;
}

double StatsItem::rate(std::int64_t seconds) const {
  if (recent_.size() < 2) return 0;
  const Sample& last = recent_.back();
  const auto back = static_cast<std::size_t>(seconds / 10);
  const Sample& first = recent_[recent_.size() > back ? recent_.size() - 1 - back : 0];
  const std::int64_t ms = last.time_ms - first.time_ms;
  return ms > 0 ? static_cast<double>(last.value - first.value) * 1000 / static_cast<double>(ms)
                : 0;
}

}  // namespace gantry::broker
