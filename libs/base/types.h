// SPDX-License-Identifier: Apache-2.0
// Strong types for the scalars of a broker that must not be mixed up, although all are 64-bit.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace gantry {

template <class Tag>
struct StrongInt {
  std::int64_t v = 0;

  constexpr StrongInt() = default;
  constexpr explicit StrongInt(std::int64_t value) : v(value) {}

  constexpr auto operator<=>(const StrongInt&) const = default;
  constexpr StrongInt& operator+=(std::int64_t d) {
    v += d;
    return *this;
  }
  constexpr StrongInt& operator++() {
    ++v;
    return *this;
  }
  friend constexpr StrongInt operator+(StrongInt a, std::int64_t d) { return StrongInt(a.v + d); }
  friend constexpr StrongInt operator-(StrongInt a, std::int64_t d) { return StrongInt(a.v - d); }
  friend constexpr std::int64_t operator-(StrongInt a, StrongInt b) { return a.v - b.v; }
};

// Byte position in the CommitLog (RocketMQ: physical offset). Also the Raft index.
using LogPosition = StrongInt<struct LogPositionTag>;
// Index of a message in one (topic, queueId) (RocketMQ: queue offset).
using QueueOffset = StrongInt<struct QueueOffsetTag>;
// Raft term. Term 0 is the time before the first term-start record (a store of Apache RocketMQ).
using Term = StrongInt<struct TermTag>;

}  // namespace gantry

template <class Tag>
struct std::hash<gantry::StrongInt<Tag>> {
  std::size_t operator()(gantry::StrongInt<Tag> x) const noexcept {
    return std::hash<std::int64_t>{}(x.v);
  }
};
