// SPDX-License-Identifier: Apache-2.0
// The in-memory part of the key index: two parallel arrays of fixed capacity, filled in log
// order.
//
// Threads: the log shard is the only writer. Entries below a size that was handed over (through the
// worker's mutex) never change, so other threads may read those while the shard appends behind
// them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/types.h"
#include "store/key_index_entry.h"

namespace gantry::store {

class KeyBuffer {
 public:
  explicit KeyBuffer(std::size_t capacity);

  // Forgets all entries; positions count from `begin`.
  void start(LogPosition begin);
  // From now on takes entries in [floor, limit) only.
  void accept(LogPosition floor, LogPosition limit);
  void refuse_all() { room_ = 0; }

  // False if the entry does not fit: out of range, full, or too far from the first one in time.
  bool add(std::uint32_t hash, LogPosition position, std::int64_t store_time_ms) {
    const std::uint64_t delta = bits(position.v) - bits(begin_.v);
    const std::uint64_t time = bits(store_time_ms) - bits(time_base_ms_);
    if (delta - floor_ >= room_ || time > kDeltaMax || size_ == capacity_) [[unlikely]]
      return false;
    hashes_[size_] = hash;
    details_[size_] = {static_cast<std::uint32_t>(delta), static_cast<std::uint32_t>(time)};
    ++size_;
    return true;
  }
  // Gives the first entry its time; later ones may lie 24 days before or behind.
  void set_time(std::int64_t store_time_ms);

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  LogPosition begin() const { return begin_; }
  bool full() const { return size_ == capacity_; }
  KeyEntry at(std::size_t i) const { return with_hash(hashes_[i], i); }
  // Entry i, whose hash is known.
  KeyEntry with_hash(std::uint32_t hash, std::size_t i) const {
    return {hash, begin_ + static_cast<std::int64_t>(details_[i].position), time_at(i)};
  }
  // The number of entries with a position below `end`.
  std::size_t count_below(LogPosition end) const;
  // Copies entries [from, to) of `other` behind those here. Their positions must be acceptable;
  // into an empty buffer any times fit.
  void append(const KeyBuffer& other, std::size_t from, std::size_t to);
  void shrink(std::size_t size) { size_ = size; }  // only while no other thread reads

  // Offers the matches among the first `size` entries, newest first.
  void search(std::size_t size, KeySearch& search) const;

  struct Times {
    std::int64_t oldest_ms = 0;
    std::int64_t newest_ms = 0;
  };
  Times times(std::size_t size) const;  // size > 0

  void prefetch(std::size_t i) const { __builtin_prefetch(&details_[i]); }
  std::span<const std::uint32_t> hashes(std::size_t size) const { return {hashes_.get(), size}; }

  static constexpr std::uint64_t kDeltaMax = 0xFFFFFFFFU;

 private:
  struct Detail {
    std::uint32_t position;  // minus begin_
    std::uint32_t time;      // minus time_base_ms_
  };

  static std::uint64_t bits(std::int64_t x) { return static_cast<std::uint64_t>(x); }
  std::int64_t time_at(std::size_t i) const {
    return static_cast<std::int64_t>(bits(time_base_ms_) + details_[i].time);
  }

  const std::size_t capacity_;
  // Not initialised: a page of memory is touched only when entries reach it.
  const std::unique_ptr<std::uint32_t[]> hashes_;
  const std::unique_ptr<Detail[]> details_;
  std::size_t size_ = 0;
  LogPosition begin_;
  std::int64_t time_base_ms_ = 0;
  std::uint64_t floor_ = 0;  // positions are taken from begin_ + floor_ on,
  std::uint64_t room_ = 0;   // below begin_ + floor_ + room_
};

// A buffer that takes no more entries; it stands for all records of `range`.
struct SealedBuffer {
  std::shared_ptr<KeyBuffer> buffer;
  std::size_t size = 0;
  LogRange range;
};

// The order of `hashes` by (hash, index): elements are hash << 32 | index. Hashes are below 2^31.
// `order` and `scratch` are working memory that is kept between calls.
void sort_by_hash(std::span<const std::uint32_t> hashes, std::vector<std::uint64_t>& order,
                  std::vector<std::uint64_t>& scratch);

}  // namespace gantry::store
