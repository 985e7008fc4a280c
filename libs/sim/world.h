// SPDX-License-Identifier: Apache-2.0
// The time of a simulation: a virtual clock and the events that are to come, in one thread. Equal
// seeds give equal runs. For tests only.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <vector>

#include "base/clock.h"

namespace gantry::sim {

// Thrown by World::spend when a run has taken more steps than it may: it would not end.
struct StepsExhausted {
  std::int64_t at_us;
  std::uint64_t steps;
};

class World {
 public:
  using Event = std::move_only_function<void()>;

  explicit World(std::uint64_t seed) : random_(seed) {}

  std::int64_t now_us() const { return now_us_; }
  // Runs `event` after `delay_us`; events of one moment run in the order they were given.
  void at(std::int64_t delay_us, Event event) {
    events_.push({now_us_ + std::max<std::int64_t>(delay_us, 0), next_++,
                  std::make_shared<Event>(std::move(event))});
  }
  // Runs events until `until_us`; false when there are none left before.
  void run_until(std::int64_t until_us) {
    while (!events_.empty() && events_.top().at_us <= until_us) step();
    now_us_ = std::max(now_us_, until_us);
  }
  bool step() {
    if (events_.empty()) return false;
    const Entry entry = events_.top();
    events_.pop();
    now_us_ = entry.at_us;
    spend();
    (*entry.event)();
    return true;
  }
  std::uint64_t steps() const { return steps_; }
  // How many steps there may be; equal seeds reach it at the same step on every machine.
  std::uint64_t steps_max = UINT64_MAX;
  // Counts a step: an event, or what one event may do without end, such as a write to a disk.
  void spend() {
    if (++steps_ > steps_max) throw StepsExhausted{now_us_, steps_max};
  }

  // [0, bound)
  std::int64_t random(std::int64_t bound) {
    return static_cast<std::int64_t>(random_() %
                                     static_cast<std::uint64_t>(std::max<std::int64_t>(bound, 1)));
  }
  // True once in `n`.
  bool one_in(std::int64_t n) { return random(n) == 0; }
  std::uint64_t seed() { return random_(); }

 private:
  struct Entry {
    std::int64_t at_us;
    std::uint64_t order;
    std::shared_ptr<Event> event;
    bool operator<(const Entry& other) const {
      return at_us != other.at_us ? at_us > other.at_us : order > other.order;
    }
  };

  std::mt19937_64 random_;
  std::int64_t now_us_ = 0;
  std::uint64_t next_ = 0, steps_ = 0;
  std::priority_queue<Entry> events_;
};

// A machine's clock: its wall time may be off and jump.
class SimClock final : public Clock {
 public:
  explicit SimClock(World& world) : world_(world) {}
  std::int64_t wall_ms() const override { return kEpochMs + skew_ms + world_.now_us() / 1000; }
  std::int64_t steady_us() const override { return 1 + world_.now_us(); }
  std::int64_t skew_ms = 0;

 private:
  static constexpr std::int64_t kEpochMs = 1'700'000'000'000;
  World& world_;
};

}  // namespace gantry::sim
