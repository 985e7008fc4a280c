// SPDX-License-Identifier: Apache-2.0
#include "replog/tail_cache.h"

#include <algorithm>

namespace gantry::replog {

char* TailCache::reserve(LogPosition position, std::size_t size) {
  if (!chunks_.empty()) {
    Chunk& last = chunks_.back();
    if (last.start + static_cast<std::int64_t>(last.used) == position &&
        last.capacity - last.used >= size) {
      return last.data.get() + last.used;
    }
    if (last.used == 0) {  // reserved before, never published
      bytes_ -= last.capacity;
      chunks_.pop_back();
    }
  }
  Chunk chunk;
  chunk.start = position;
  chunk.capacity = std::max(size, kChunkBytes);
  if (chunk.capacity == kChunkBytes && spare_) {
    chunk.data = std::move(spare_);
  } else {
    chunk.data = std::make_unique_for_overwrite<char[]>(chunk.capacity);
  }
  bytes_ += chunk.capacity;
  chunks_.push_back(std::move(chunk));
  return chunks_.back().data.get();
}

void TailCache::publish(std::size_t size) { chunks_.back().used += size; }

const TailCache::Chunk* TailCache::find(LogPosition position) const {
  if (chunks_.empty() || position < chunks_.front().start) return nullptr;
  // Readers are mostly near the end.
  const Chunk& last = chunks_.back();
  if (position >= last.start) {
    return position < last.start + static_cast<std::int64_t>(last.used) ? &last : nullptr;
  }
  auto it = std::ranges::upper_bound(chunks_, position, {}, &Chunk::start);
  const Chunk& chunk = *std::prev(it);
  return position < chunk.start + static_cast<std::int64_t>(chunk.used) ? &chunk : nullptr;
}

std::string_view TailCache::at(LogPosition position) const {
  const Chunk* chunk = find(position);
  if (chunk == nullptr) return {};
  const auto skip = static_cast<std::size_t>(position - chunk->start);
  return {chunk->data.get() + skip, chunk->used - skip};
}

void TailCache::collect(LogPosition from, LogPosition to, std::vector<io::Slice>& out) const {
  while (from < to) {
    const std::string_view piece = at(from);
    if (piece.empty()) return;
    const auto n = std::min<std::int64_t>(static_cast<std::int64_t>(piece.size()), to - from);
    out.push_back({piece.data(), static_cast<std::size_t>(n)});
    from += n;
  }
}

void TailCache::cut(LogPosition position) {
  while (!chunks_.empty() && chunks_.back().start >= position) {
    bytes_ -= chunks_.back().capacity;
    chunks_.pop_back();
  }
  if (chunks_.empty()) return;
  Chunk& last = chunks_.back();
  last.used = std::min(last.used, static_cast<std::size_t>(position - last.start));
}

void TailCache::evict(LogPosition keep_from) {
  while (chunks_.size() > 1 && bytes_ > bytes_max_ &&
         chunks_.front().start + static_cast<std::int64_t>(chunks_.front().used) <= keep_from) {
    Chunk& oldest = chunks_.front();
    bytes_ -= oldest.capacity;
    if (oldest.capacity == kChunkBytes && !spare_) spare_ = std::move(oldest.data);
    chunks_.pop_front();
  }
}

}  // namespace gantry::replog
