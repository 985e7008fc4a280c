// SPDX-License-Identifier: Apache-2.0
// How long requests took, by request code, answer code and whether they were held. Log shard only.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <tuple>

namespace gantry::broker {

class RpcLatency {
 public:
  enum class Result : std::uint8_t { kSuccess, kOneway };
  struct Key {
    std::int32_t request_code = 0;
    std::int32_t response_code = 0;
    bool long_polling = false;
    Result result = Result::kSuccess;
    auto operator<=>(const Key&) const = default;
  };
  // Upper bounds in ms as RocketMQ's; the last bucket is open.
  static constexpr std::array<std::int64_t, 9> kBounds = {1, 3, 5, 7, 10, 100, 1000, 2000, 3000};
  struct Cell {
    std::array<std::int64_t, kBounds.size() + 1> counts{};
    double sum_ms = 0;
  };

  void record(const Key& key, std::int64_t us) {
    if (key != last_key_ || last_ == nullptr) {
      last_ = &cells_[key];
      last_key_ = key;
    }
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && us > kBounds[bucket] * 1000) ++bucket;
    ++last_->counts[bucket];
    last_->sum_ms += static_cast<double>(us) / 1000;
  }
  const std::map<Key, Cell>& cells() const { return cells_; }

 private:
  std::map<Key, Cell> cells_;
  Key last_key_;
  Cell* last_ = nullptr;  // of last_key_: most requests are of one kind
};

}  // namespace gantry::broker
