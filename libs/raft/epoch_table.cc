// SPDX-License-Identifier: Apache-2.0
#include "raft/epoch_table.h"

#include <algorithm>

namespace gantry::raft {

void EpochTable::add(const Epoch& epoch) {
  while (!epochs_.empty() && epochs_.back().start >= epoch.start) epochs_.pop_back();
  epochs_.push_back(epoch);
}

void EpochTable::cut(LogPosition end) {
  while (!epochs_.empty() && epochs_.back().start >= end) epochs_.pop_back();
}

void EpochTable::trim(LogPosition begin) {
  while (epochs_.size() > 1 && epochs_[1].start < begin) epochs_.erase(epochs_.begin());
}

const Epoch* EpochTable::find(LogPosition position) const {
  const auto it = std::ranges::upper_bound(epochs_, position, {}, &Epoch::start);
  return it == epochs_.begin() ? nullptr : &*std::prev(it);
}

bool EpochTable::apache_at(LogPosition position) const {
  const Epoch* epoch = find(position);
  return epoch == nullptr || epoch->apache;
}

Term EpochTable::term_before(LogPosition position) const {
  const Epoch* epoch = find(position - 1);
  return epoch == nullptr ? Term(0) : epoch->term;
}

std::vector<Epoch> EpochTable::starting_in(LogPosition from, LogPosition to) const {
  std::vector<Epoch> result;
  for (const Epoch& epoch : epochs_) {
    if (epoch.start >= from && epoch.start < to) result.push_back(epoch);
  }
  return result;
}

LogPosition common_end(std::span<const Epoch> a, LogPosition a_end, std::span<const Epoch> b,
                       LogPosition b_end, LogPosition fallback) {
  const auto end_of = [](std::span<const Epoch> epochs, std::size_t i, LogPosition end) {
    return i + 1 < epochs.size() ? epochs[i + 1].start : end;
  };
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      if (a[i].term != b[j].term || a[i].start != b[j].start) continue;
      return std::min(end_of(a, i, a_end), end_of(b, j, b_end));
    }
  }
  return fallback;
}

}  // namespace gantry::raft
