// SPDX-License-Identifier: Apache-2.0
#include "replog/zero_ahead.h"

#include <gtest/gtest.h>

#include "tests/unit/replog/log_test_util.h"

namespace gantry::replog {
namespace {

constexpr LogPosition kFileEnd{1 << 20};

std::int64_t total(const std::vector<io::Slice>& slices) {
  std::int64_t bytes = 0;
  for (const io::Slice& slice : slices) {
    bytes += static_cast<std::int64_t>(slice.size);
    const auto* data = static_cast<const char*>(slice.data);
    EXPECT_EQ(std::string(data, slice.size).find_first_not_of('\0'), std::string::npos);
  }
  return bytes;
}

TEST(ZeroAhead, WritesOnceForManySmallWrites) {
  ZeroAhead ahead;
  std::vector<io::Slice> slices;
  const std::int64_t first = ahead.due(LogPosition(300), 300, kFileEnd);
  EXPECT_EQ((300 + first) % 4096, 0) << "whole pages";
  EXPECT_GT(first, ZeroAhead::kBytes - 4096);
  ahead.add(LogPosition(300), first, slices);
  EXPECT_EQ(total(slices), first);
  EXPECT_EQ(ahead.due(LogPosition(600), 300, kFileEnd), 0);
  EXPECT_EQ(ahead.due(LogPosition(300 + first), 300, kFileEnd), 0) << "all of it are zeros still";
  EXPECT_GT(ahead.due(LogPosition(300 + first + 1), 300, kFileEnd), 0);
}

TEST(ZeroAhead, EndsWithTheFile) {
  const ZeroAhead ahead;
  EXPECT_EQ(ahead.due(kFileEnd - 100, 300, kFileEnd), 100);
  EXPECT_EQ(ahead.due(kFileEnd, 300, kFileEnd), 0);
}

TEST(ZeroAhead, LargeWritesAreNotWorthIt) {
  const ZeroAhead ahead;
  EXPECT_GT(ahead.due(LogPosition(9000), ZeroAhead::kWriteBytesMax, kFileEnd), 0);
  EXPECT_EQ(ahead.due(LogPosition(9000), ZeroAhead::kWriteBytesMax + 1, kFileEnd), 0);
}

TEST(ZeroAhead, BehindACutTheyAreWrittenAnew) {
  ZeroAhead ahead;
  std::vector<io::Slice> slices;
  ahead.add(LogPosition(300), ahead.due(LogPosition(300), 300, kFileEnd), slices);
  ahead.cut(LogPosition(200));
  EXPECT_GT(ahead.due(LogPosition(250), 50, kFileEnd), 0);
}

// The bytes that go into files for two messages, each with its own sync if the mode has it so.
std::int64_t bytes_written(FlushMode mode) {
  testing::MemoryFileSystem fs;
  LogOptions options = small_log(mode);
  options.file_bytes = 1 << 20;
  LogRig rig(fs, options);
  EXPECT_TRUE(rig.start());
  rig.on_shard([&] { EXPECT_TRUE(rig.append("message")); });
  rig.on_shard([&] { EXPECT_TRUE(rig.append("another")); });
  rig.close();
  return static_cast<std::int64_t>(fs.written);
}

TEST(ZeroAhead, OnlyASyncedLogWritesThem) {
  const std::int64_t with = bytes_written(FlushMode::kSync);
  const std::int64_t without = bytes_written(FlushMode::kAsync);
  EXPECT_GT(with, without + ZeroAhead::kBytes - 4096);
  EXPECT_LT(with, without + ZeroAhead::kBytes + 4096) << "once, not with every message";
}

}  // namespace
}  // namespace gantry::replog
