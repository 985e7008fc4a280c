// SPDX-License-Identifier: Apache-2.0
// Reads the log from its files for members that are behind the tail cache: on a worker, verified,
// at a limited rate, so that catching up neither blocks the shard nor starves the live path. Log
// shard only.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/types.h"
#include "io/file_system.h"
#include "raft/epoch_table.h"
#include "replog/log_files.h"
#include "runtime/loop.h"

namespace gantry::replog {

class CatchUpReader {
 public:
  struct Options {
    std::int64_t range_bytes = 512 << 10;
    std::int64_t bytes_per_second = 256 << 20;  // of all members together
  };

  CatchUpReader(runtime::Loop& loop, const LogFiles& files, Clock& clock, Options options);
  ~CatchUpReader();
  CatchUpReader(const CatchUpReader&) = delete;
  CatchUpReader& operator=(const CatchUpReader&) = delete;

  // Where the loaded range that begins at `from` ends; nullopt: not loaded.
  std::optional<LogPosition> bound(LogPosition from) const;
  // Loads a range that begins at `from`, a record's start, and lies below `limit`, which is
  // written. `done` runs on the shard when it is there or cannot be read (logged). Doing nothing
  // when it is being loaded already.
  void fetch(LogPosition from, LogPosition limit, const raft::EpochTable& epochs,
             std::function<void()> done);
  // The bytes of the loaded range as sent to members; false when it is not there any more.
  bool collect(LogPosition from, LogPosition to, std::vector<io::Slice>& out) const;
  // The log was cut: what was read may be void.
  void forget();

 private:
  struct Range {
    LogPosition from, to;
    std::string bytes;
  };
  struct Load;
  void run(std::shared_ptr<Load> load);
  std::chrono::milliseconds delay_for(std::int64_t bytes);

  runtime::Loop& loop_;
  const LogFiles& files_;
  Clock& clock_;
  const Options options_;
  std::deque<Range> ranges_;  // newest last
  std::vector<LogPosition> loading_;
  std::vector<std::unique_ptr<runtime::Timer>> delayed_;
  std::int64_t budget_us_ = 0;  // when the rate allows the next read, on the steady clock
  std::uint64_t cuts_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<runtime::TaskRunner> worker_;
};

}  // namespace gantry::replog
