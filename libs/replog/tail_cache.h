// SPDX-License-Identifier: Apache-2.0
// The newest part of the log in memory: where records are encoded, written from, applied from and
// read by consumers at the tail. A record is contiguous. Lives on the log shard.
#pragma once

#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "base/types.h"
#include "io/file_system.h"

namespace gantry::replog {

class TailCache {
 public:
  static constexpr std::size_t kChunkBytes = 1U << 20;

  explicit TailCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Room for `size` contiguous bytes at `position`, which must be end() or lie behind it (a file
  // roll leaves a gap). The bytes belong to the log once publish() is called with the same size.
  char* reserve(LogPosition position, std::size_t size);
  void publish(std::size_t size);

  bool empty() const { return chunks_.empty(); }
  LogPosition begin() const { return chunks_.empty() ? LogPosition(0) : chunks_.front().start; }
  std::size_t bytes() const { return bytes_; }

  // The contiguous bytes from `position` on, as far as cached in one piece; empty if not cached.
  // Valid until evict().
  std::string_view at(LogPosition position) const;
  // Appends the slices that make up [from, to), all within one file, to `out`.
  void collect(LogPosition from, LogPosition to, std::vector<io::Slice>& out) const;

  // Drops everything at and beyond `position`.
  void cut(LogPosition position);
  // Drops the oldest chunks that lie wholly below `keep_from` while the cache is over its limit.
  void evict(LogPosition keep_from);

 private:
  struct Chunk {
    LogPosition start;
    std::size_t used = 0;
    std::size_t capacity = 0;
    std::unique_ptr<char[]> data;
  };
  const Chunk* find(LogPosition position) const;

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::deque<Chunk> chunks_;
  std::unique_ptr<char[]>
      spare_;  // one freed standard chunk, so that steady state does not allocate
};

}  // namespace gantry::replog
