// SPDX-License-Identifier: Apache-2.0
// The network between simulated machines: delays, loss, duplication, reordering, one- and two-way
// partitions, clogging. What arrives is what was sent. For tests only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "sim/world.h"

namespace gantry::sim {

class Network {
 public:
  using Address = int;

  explicit Network(World& world) : world_(world) {}

  std::int64_t delay_us_max = 500;
  std::int64_t slow_one_in = 0;  // a message that takes up to `slow_us_max`: reordering
  std::int64_t slow_us_max = 200'000;
  std::int64_t lose_one_in = 0;
  std::int64_t double_one_in = 0;

  // Messages of `from` do not reach `to`.
  void cut(Address from, Address to) { cut_.insert({from, to}); }
  void heal() {
    cut_.clear();
    clogged_.clear();
  }
  // Messages of the pair arrive only after `for_us`.
  void clog(Address from, Address to, std::int64_t for_us) {
    clogged_[{from, to}] = world_.now_us() + for_us;
  }
  bool connected(Address from, Address to) const { return !cut_.contains({from, to}); }

  // `deliver` runs once, twice or never; it may find that the receiver is gone.
  void send(Address from, Address to, std::function<void()> deliver) {
    if (!connected(from, to)) return;
    if (lose_one_in > 0 && world_.one_in(lose_one_in)) return;
    if (double_one_in > 0 && world_.one_in(double_one_in)) post(from, to, deliver);
    post(from, to, std::move(deliver));
  }

 private:
  void post(Address from, Address to, std::function<void()> deliver) {
    std::int64_t delay = 10 + world_.random(delay_us_max);
    if (slow_one_in > 0 && world_.one_in(slow_one_in)) delay += world_.random(slow_us_max);
    if (const auto it = clogged_.find({from, to}); it != clogged_.end()) {
      delay = std::max(delay, it->second - world_.now_us());
    }
    world_.at(delay, [this, from, to, deliver = std::move(deliver)] {
      if (connected(from, to)) deliver();
    });
  }

  World& world_;
  std::set<std::pair<Address, Address>> cut_;
  std::map<std::pair<Address, Address>, std::int64_t> clogged_;
};

}  // namespace gantry::sim
