// SPDX-License-Identifier: Apache-2.0
#include "replog/log_reader.h"

#include <fmt/core.h>

#include <algorithm>

#include "log/log.h"

namespace gantry::replog {
namespace {
log::Logger logger("log_reader");
}

LogReader::LogReader(runtime::Loop& loop, const LogFiles& files, std::size_t cache_bytes)
    : loop_(loop),
      files_(files),
      blocks_max_(std::max<std::size_t>(cache_bytes / kBlockBytes, 16)),
      cold_(loop.make_worker("cold-read")) {}

LogReader::~LogReader() {
  *alive_ = false;  // what is queued ends at once
  cold_.reset();
}

LogReader::BlockPlace LogReader::place_of(LogPosition position) const {
  const std::int64_t file_bytes = files_.file_bytes();
  const std::int64_t per_file = (file_bytes + kBlockBytes - 1) / kBlockBytes;
  const LogPosition file_start = files_.file_start(position);
  const std::int64_t index = (position - file_start) / kBlockBytes;
  BlockPlace place;
  place.number = file_start.v / file_bytes * per_file + index;
  place.start = file_start + index * kBlockBytes;
  place.end = std::min(place.start + kBlockBytes, file_start + file_bytes);
  return place;
}

LogReader::Block* LogReader::cached(std::int64_t number) {
  const auto it = blocks_.find(number);
  if (it == blocks_.end()) return nullptr;
  if (it->second != lru_.begin()) lru_.splice(lru_.begin(), lru_, it->second);
  return &*it->second;
}

LogReader::Block LogReader::new_block(std::int64_t number) {
  Block block;
  block.number = number;
  if (!spare_.empty()) {
    block.data = std::move(spare_.back());
    spare_.pop_back();
  } else {
    block.data = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  }
  return block;
}

LogReader::Block* LogReader::insert(Block block) {
  if (const auto it = blocks_.find(block.number); it != blocks_.end()) {
    spare_.push_back(std::move(it->second->data));
    lru_.erase(it->second);
    blocks_.erase(it);
  }
  while (lru_.size() >= blocks_max_) {
    spare_.push_back(std::move(lru_.back().data));
    blocks_.erase(lru_.back().number);
    lru_.pop_back();
  }
  if (spare_.size() > 4) spare_.resize(4);
  lru_.push_front(std::move(block));
  blocks_[lru_.front().number] = lru_.begin();
  return &lru_.front();
}

Result<LogReader::Block*> LogReader::load(const BlockPlace& place, std::size_t valid,
                                          Status* status) {
  Block* block = cached(place.number);
  if (block != nullptr && block->valid >= valid) {
    ++stats_.block_hits;
    return block;
  }
  Block fresh = new_block(place.number);
  const auto n = files_.try_read(place.start, {fresh.data.get(), valid});
  if (!n) return std::unexpected(n.error());
  if (!*n) {
    spare_.push_back(std::move(fresh.data));
    *status = Status::kWouldBlock;
    return nullptr;
  }
  fresh.valid = **n;
  ++stats_.block_reads;
  return insert(std::move(fresh));
}

Result<std::string_view> LogReader::read(LogPosition position, std::size_t size,
                                         LogPosition written, Status* status) {
  *status = Status::kOk;
  joined_.clear();
  while (size > 0) {
    const BlockPlace place = place_of(position);
    const auto valid = static_cast<std::size_t>(std::min(place.end, written) - place.start);
    auto block = load(place, valid, status);
    if (!block) return std::unexpected(block.error());
    if (*status == Status::kWouldBlock) return std::string_view{};
    const auto skip = static_cast<std::size_t>(position - place.start);
    if ((*block)->valid <= skip) {
      return make_error(ErrorCode::kCorrupt,
                        fmt::format("the log ends before position {}", position.v));
    }
    const std::string_view piece((*block)->data.get() + skip,
                                 std::min(size, (*block)->valid - skip));
    if (joined_.empty() && piece.size() == size) return piece;
    joined_.append(piece);
    size -= piece.size();
    position += static_cast<std::int64_t>(piece.size());
  }
  return std::string_view(joined_);
}

void LogReader::fetch(LogPosition position, std::size_t size, LogPosition written, Retry retry) {
  std::vector<ColdRead> reads;
  const LogPosition stop = position + static_cast<std::int64_t>(std::max<std::size_t>(size, 1));
  while (position < stop) {
    const BlockPlace place = place_of(position);
    position = place.end;
    auto file = files_.file_at(place.start);
    if (!file) continue;
    ColdRead read;
    read.file = std::move(file);
    read.offset = place.start - files_.file_start(place.start);
    read.block = new_block(place.number);
    read.block.valid = static_cast<std::size_t>(
        std::max<std::int64_t>(0, std::min(place.end, written) - place.start));
    reads.push_back(std::move(read));
  }
  if (reads.empty()) {
    loop_.post([alive = alive_, retry = std::move(retry)]() mutable {
      if (*alive) retry();
    });
    return;
  }
  ++stats_.cold_reads;
  cold_->post([this, alive = alive_, cuts = cuts_, reads = std::move(reads),
               retry = std::move(retry)]() mutable {
    if (!*alive) return;
    for (ColdRead& read : reads) {
      const auto n = read.file->read_at(read.offset, {read.block.data.get(), read.block.valid});
      if (!n) logger.error("reading the log failed: {}", n.error().message);
      read.block.valid = n.value_or(0);
    }
    loop_.post([this, alive = std::move(alive), cuts, reads = std::move(reads),
                retry = std::move(retry)]() mutable {
      if (!*alive) return;
      if (cuts == cuts_) take_fetched(std::move(reads));
      retry();
    });
  });
}

void LogReader::take_fetched(std::vector<ColdRead> reads) {
  for (ColdRead& read : reads) {
    if (read.block.valid > 0) insert(std::move(read.block));
  }
}

void LogReader::forget_below(LogPosition position) {
  const std::int64_t first = place_of(position).number;
  for (auto it = lru_.begin(); it != lru_.end();) {
    if (it->number < first) {
      blocks_.erase(it->number);
      it = lru_.erase(it);
    } else {
      ++it;
    }
  }
}

void LogReader::forget_from(LogPosition position) {
  ++cuts_;
  const std::int64_t first = place_of(position).number;
  std::erase_if(lru_, [&](const Block& block) {
    return block.number >= first && blocks_.erase(block.number) > 0;
  });
}

}  // namespace gantry::replog
