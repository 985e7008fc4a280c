// SPDX-License-Identifier: Apache-2.0
// Index files as Apache RocketMQ writes them (docs/formats/key-index.md), for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "store/key_index_hash.h"

namespace gantry::testing {

// One file as RocketMQ fills it: entries in order, each in front of its slot's chain.
class ApacheIndexFile {
 public:
  ApacheIndexFile(std::uint32_t slots, std::uint32_t entries_max)
      : slots_(slots), bytes_(40 + slots * 4 + entries_max * 20, '\0') {}

  void put(std::string_view topic, std::string_view key, std::int64_t position,
           std::int64_t store_time_ms) {
    const std::uint32_t hash = store::key_hash(topic, key);
    if (count_ == 1) set<std::int64_t>(0, store_time_ms), set<std::int64_t>(16, position);
    const std::size_t slot = 40 + (hash % slots_) * 4;
    const std::size_t entry = entry_at(count_);
    set(entry, hash);
    set(entry + 4, position);
    set(entry + 12, static_cast<std::int32_t>((store_time_ms - get<std::int64_t>(0)) / 1000));
    set(entry + 16, get<std::int32_t>(slot));
    set(slot, count_);
    set(36, ++count_);
    set(8, store_time_ms);
    set(24, position);
  }
  std::size_t entry_at(std::int32_t number) const {
    return 40 + slots_ * 4 + static_cast<std::size_t>(number) * 20;
  }
  template <class T>
  void set(std::size_t at, T value) {
    store_be(bytes_.data() + at, value);
  }
  template <class T>
  T get(std::size_t at) const {
    return load_be<T>(bytes_.data() + at);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  const std::uint32_t slots_;
  std::int32_t count_ = 1;
  std::string bytes_;
};

}  // namespace gantry::testing
