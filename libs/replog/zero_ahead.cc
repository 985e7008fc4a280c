// SPDX-License-Identifier: Apache-2.0
#include "replog/zero_ahead.h"

#include <algorithm>
#include <array>

namespace gantry::replog {
namespace {

constexpr std::int64_t kPageBytes = 4096;
constexpr std::array<char, 64 << 10> kZeros{};

}  // namespace

std::int64_t ZeroAhead::due(LogPosition to, std::int64_t written, LogPosition file_end) const {
  if (to <= zeroed_to_ || written > kWriteBytesMax) return 0;
  // Whole pages, so that none has to be read before it is written again.
  const LogPosition enough = to + kBytes;
  return std::min(enough - enough.v % kPageBytes, file_end) - to;
}

void ZeroAhead::add(LogPosition to, std::int64_t bytes, std::vector<io::Slice>& slices) {
  zeroed_to_ = std::max(zeroed_to_, to + bytes);
  while (bytes > 0) {
    const auto n = std::min<std::int64_t>(bytes, std::ssize(kZeros));
    slices.push_back({kZeros.data(), static_cast<std::size_t>(n)});
    bytes -= n;
  }
}

void ZeroAhead::cut(LogPosition position) { zeroed_to_ = std::min(zeroed_to_, position); }

}  // namespace gantry::replog
