// SPDX-License-Identifier: Apache-2.0
#include "replog/epoch_table.h"

#include <algorithm>

namespace gantry::replog {

void EpochTable::add(const Epoch& epoch) {
  while (!epochs_.empty() && epochs_.back().start >= epoch.start) epochs_.pop_back();
  epochs_.push_back(epoch);
}

void EpochTable::cut(LogPosition end) {
  while (!epochs_.empty() && epochs_.back().start >= end) epochs_.pop_back();
}

void EpochTable::trim(LogPosition begin) {
  while (epochs_.size() > 1 && epochs_[1].start <= begin) epochs_.erase(epochs_.begin());
}

const Epoch* EpochTable::find(LogPosition position) const {
  const auto it = std::ranges::upper_bound(epochs_, position, {}, &Epoch::start);
  return it == epochs_.begin() ? nullptr : &*std::prev(it);
}

bool EpochTable::apache_at(LogPosition position) const {
  const Epoch* epoch = find(position);
  return epoch == nullptr || epoch->apache;
}

}  // namespace gantry::replog
