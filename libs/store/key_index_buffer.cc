// SPDX-License-Identifier: Apache-2.0
#include "store/key_index_buffer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gantry::store {
namespace {

constexpr std::size_t kRadixMin = 2048;  // below, a comparison sort is as fast
// Three digits cover the 31 bits of a hash.
constexpr std::array<unsigned, 3> kDigitAt{0, 11, 21};
constexpr std::uint32_t kDigitMask = (1U << 11) - 1;
constexpr std::uint32_t kUpperMask = (1U << 10) - 1;  // of the second and third

}  // namespace

KeyBuffer::KeyBuffer(std::size_t capacity)
    : capacity_(capacity),
      hashes_(std::make_unique_for_overwrite<std::uint32_t[]>(capacity)),
      details_(std::make_unique_for_overwrite<Detail[]>(capacity)) {}

void KeyBuffer::start(LogPosition begin) {
  size_ = 0;
  begin_ = begin;
  refuse_all();
}

void KeyBuffer::accept(LogPosition floor, LogPosition limit) {
  floor_ = bits(floor.v) - bits(begin_.v);
  const std::uint64_t end = std::min(bits(limit.v) - bits(begin_.v), kDeltaMax + 1);
  room_ = end > floor_ ? end - floor_ : 0;
}

void KeyBuffer::set_time(std::int64_t store_time_ms) {
  time_base_ms_ = static_cast<std::int64_t>(bits(store_time_ms) - (kDeltaMax + 1) / 2);
}

std::size_t KeyBuffer::count_below(LogPosition end) const {
  if (end <= begin_) return 0;
  const std::uint64_t delta = bits(end.v) - bits(begin_.v);
  const std::span<const Detail> details(details_.get(), size_);
  return static_cast<std::size_t>(std::ranges::lower_bound(details, delta, {}, &Detail::position) -
                                  details.begin());
}

void KeyBuffer::append(const KeyBuffer& other, std::size_t from, std::size_t to) {
  if (size_ == 0) time_base_ms_ = other.time_base_ms_;
  for (std::size_t i = from; i < to; ++i) {
    const KeyEntry e = other.at(i);
    add(e.hash, e.position, e.store_time_ms);
  }
}

void KeyBuffer::search(std::size_t size, KeySearch& search) const {
  constexpr std::size_t kStep = 64;
  const std::uint32_t hash = search.hash();
  const auto offer = [&](std::size_t i) {
    if (hashes_[i] == hash) search.offer(at(i).position, time_at(i));
  };
  std::size_t end = size;
  while (end % kStep != 0) offer(--end);
  for (; end > 0 && !search.full(); end -= kStep) {
    const std::uint32_t* step = hashes_.get() + end - kStep;
    std::uint32_t hits = 0;
    for (std::size_t i = 0; i < kStep; ++i) hits |= step[i] == hash ? 1U : 0U;
    if (hits == 0) continue;
    for (std::size_t i = end; i-- > end - kStep;) offer(i);
  }
}

KeyBuffer::Times KeyBuffer::times(std::size_t size) const {
  std::uint32_t low = details_[0].time;
  std::uint32_t high = low;
  for (std::size_t i = 1; i < size; ++i) {
    low = std::min(low, details_[i].time);
    high = std::max(high, details_[i].time);
  }
  return {static_cast<std::int64_t>(bits(time_base_ms_) + low),
          static_cast<std::int64_t>(bits(time_base_ms_) + high)};
}

void sort_by_hash(std::span<const std::uint32_t> hashes, std::vector<std::uint64_t>& order,
                  std::vector<std::uint64_t>& scratch) {
  const std::size_t n = hashes.size();
  order.resize(n);
  std::array<std::array<std::uint32_t, kDigitMask + 1>, kDigitAt.size()> counts{};
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t hash = hashes[i];
    order[i] = (std::uint64_t{hash} << 32) | i;
    ++counts[0][hash & kDigitMask];
    ++counts[1][(hash >> kDigitAt[1]) & kUpperMask];
    ++counts[2][(hash >> kDigitAt[2]) & kUpperMask];
  }
  if (n < kRadixMin) {
    std::ranges::sort(order);
    return;
  }
  scratch.resize(n);
  for (std::size_t pass = 0; pass < counts.size(); ++pass) {
    std::uint32_t start = 0;
    for (std::uint32_t& c : counts[pass]) start += std::exchange(c, start);
    std::uint32_t* next = counts[pass].data();
    const unsigned shift = 32 + kDigitAt[pass];
    const std::uint32_t mask = pass == 0 ? kDigitMask : kUpperMask;
    for (const std::uint64_t x : order) {
      scratch[next[static_cast<std::uint32_t>(x >> shift) & mask]++] = x;
    }
    order.swap(scratch);
  }
}

}  // namespace gantry::store
