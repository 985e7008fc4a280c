// SPDX-License-Identifier: Apache-2.0
// Reads records below the tail cache: through a small cache of blocks, without waiting for the disk
// on the shard. What is not in the page cache is fetched by a cold-read thread and asked for again.
// Records read from disk are verified; a rotten one is never handed out. Log shard only.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "replog/log_files.h"
#include "runtime/loop.h"

namespace gantry::replog {

struct LogReaderStats {
  std::uint64_t block_hits = 0, block_reads = 0, cold_reads = 0;
};

class LogReader {
 public:
  static constexpr std::int64_t kBlockBytes = 32 << 10;
  using Retry = std::move_only_function<void()>;

  LogReader(runtime::Loop& loop, const LogFiles& files, std::size_t cache_bytes);
  ~LogReader();
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  enum class Status : std::uint8_t { kOk, kWouldBlock };
  // The bytes [position, position + size), all below `written` and in one file. The view is valid
  // until the next call. kWouldBlock: call fetch() with the same range and try again later.
  Result<std::string_view> read(LogPosition position, std::size_t size, LogPosition written,
                                Status* status);
  // Brings the blocks of the range into the cache from another thread, then posts `retry` (also
  // when reading failed: the next read() then reports the error). Not once the reader is gone.
  void fetch(LogPosition position, std::size_t size, LogPosition written, Retry retry);
  // Forgets blocks below a position (retention), or with bytes at and beyond it (a cut).
  void forget_below(LogPosition position);
  void forget_from(LogPosition position);

  const LogReaderStats& stats() const { return stats_; }

 private:
  struct Block {
    std::int64_t number = 0;
    std::size_t valid = 0;  // bytes that were below the written position when read
    std::unique_ptr<char[]> data;
  };
  using Lru = std::list<Block>;
  struct ColdRead {
    std::shared_ptr<io::File> file;
    std::int64_t offset = 0;
    Block block;
  };

  // Blocks are counted within their file: none crosses a file's end, whatever the file size.
  struct BlockPlace {
    std::int64_t number = 0;
    LogPosition start, end;
  };
  BlockPlace place_of(LogPosition position) const;
  Block* cached(std::int64_t number);
  Block* insert(Block block);
  Block new_block(std::int64_t number);
  Result<Block*> load(const BlockPlace& place, std::size_t valid, Status* status);
  void take_fetched(std::vector<ColdRead> reads);

  runtime::Loop& loop_;
  const LogFiles& files_;
  const std::size_t blocks_max_;
  Lru lru_;  // newest first
  std::unordered_map<std::int64_t, Lru::iterator> blocks_;
  std::vector<std::unique_ptr<char[]>> spare_;
  std::string joined_;  // for ranges over several blocks
  LogReaderStats stats_;

  std::uint64_t cuts_ = 0;  // what was fetched before a cut is not taken
  std::shared_ptr<std::atomic<bool>> alive_ = std::make_shared<std::atomic<bool>>(true);
  std::unique_ptr<runtime::TaskRunner> cold_;
};

}  // namespace gantry::replog
