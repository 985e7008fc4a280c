// SPDX-License-Identifier: Apache-2.0
// How fast the log is read for members that are far behind, in virtual time.
#include "replog/catch_up_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/record.h"
#include "sim/sim_loop.h"
#include "sim/world.h"
#include "tests/support/memory_file_system.h"

namespace gantry::replog {
namespace {

constexpr std::int64_t kFileBytes = 64 << 10;
constexpr std::int64_t kRecordsPerRange = 4;
constexpr std::int64_t kRanges = 50;
// What may be read before the limit counts.
constexpr std::int64_t kAheadUs = 20000;
// A worker's task and rounding to milliseconds.
constexpr std::int64_t kSlackUs = 2000;

class CatchUpRate : public ::testing::Test {
 protected:
  CatchUpRate() {
    auto files = LogFiles::open(fs_, {.directory = "/log", .file_bytes = kFileBytes});
    EXPECT_TRUE(files) << files.error().message;
    files_ = std::move(*files);
    EXPECT_TRUE(files_->extend());
    epochs_.add({Term(1), LogPosition(0)});
    for (std::int64_t i = 0; i < kRanges * kRecordsPerRange; ++i) append(i);
    range_bytes_ = end_.v / kRanges;
  }

  void append(std::int64_t number) {
    protocol::RecordFields f;
    const std::string body(100, static_cast<char>('a' + number % 26));
    f.topic = "T";
    f.body = body;
    f.position = end_;
    f.queue_offset = QueueOffset(number);
    f.store_host = f.born_host = *protocol::RecordHost::parse("127.0.0.1", 1);
    std::string bytes(protocol::encoded_size(f), '\0');
    protocol::encode_record(f, bytes.data());
    const io::Slice slice{bytes.data(), bytes.size()};
    ASSERT_TRUE(files_->write(end_, {&slice, 1}));
    log_ += bytes;
    end_ += static_cast<std::int64_t>(bytes.size());
  }

  void open(std::int64_t ranges_per_second) {
    reader_ = std::make_unique<CatchUpReader>(
        loop_, *files_, clock_,
        CatchUpReader::Options{.range_bytes = range_bytes_,
                               .bytes_per_second = ranges_per_second * range_bytes_});
  }
  // Reads on from `from` to the end of the log, one range after the other, into `out`.
  void follow(LogPosition from, std::string& out) {
    if (from == end_) return;
    reader_->fetch(from, end_, epochs_, [this, from, &out] {
      const auto to = reader_->bound(from);
      ASSERT_TRUE(to);
      std::vector<io::Slice> slices;
      ASSERT_TRUE(reader_->collect(from, *to, slices));
      for (const io::Slice& slice : slices)
        out.append(static_cast<const char*>(slice.data), slice.size);
      last_us_ = world_.now_us();
      follow(*to, out);
    });
  }
  // How long all of them take together.
  std::int64_t run() {
    const std::int64_t began_us = world_.now_us();
    while (world_.step()) {
    }
    return last_us_ - began_us;
  }

  sim::World world_{1};
  sim::SimClock clock_{world_};
  sim::SimLoop loop_{world_, [](const std::string& why) { ADD_FAILURE() << why; }};
  gantry::testing::MemoryFileSystem fs_;
  std::unique_ptr<LogFiles> files_;
  raft::EpochTable epochs_;
  std::string log_;
  LogPosition end_{0};
  std::int64_t range_bytes_ = 0, last_us_ = 0;
  std::unique_ptr<CatchUpReader> reader_;
};

TEST_F(CatchUpRate, AMemberGetsTheLogAtTheLimit) {
  open(100);
  std::string got;
  follow(LogPosition(0), got);
  const std::int64_t took_us = run();
  EXPECT_EQ(got, log_);
  EXPECT_GE(took_us, kRanges * 10000 - kAheadUs - kSlackUs);
  EXPECT_LE(took_us, kRanges * 10000 - kAheadUs + kSlackUs);
}

TEST_F(CatchUpRate, MembersShareTheLimit) {
  open(100);
  const LogPosition middle(kRanges / 2 * range_bytes_);
  std::string first, second;
  follow(LogPosition(0), first);
  follow(middle, second);
  const std::int64_t took_us = run();
  EXPECT_EQ(first, log_);
  EXPECT_EQ(second, log_.substr(static_cast<std::size_t>(middle.v)));
  const std::int64_t ranges = kRanges + kRanges / 2;
  EXPECT_GE(took_us, ranges * 10000 - kAheadUs - kSlackUs);
  EXPECT_LE(took_us, ranges * 10000 + kSlackUs);
}

TEST_F(CatchUpRate, WhatIsBelowTheLimitDoesNotWait) {
  open(1'000'000);
  std::string got;
  follow(LogPosition(0), got);
  EXPECT_LE(run(), kRanges * loop_.delays.worker_us);
  EXPECT_EQ(got, log_);
}

TEST_F(CatchUpRate, APauseEarnsNothing) {
  open(100);
  std::string got;
  follow(LogPosition(0), got);
  run();
  world_.run_until(world_.now_us() + 3'600'000'000);
  got.clear();
  follow(LogPosition(0), got);
  EXPECT_GE(run(), kRanges * 10000 - kAheadUs - kSlackUs);
  EXPECT_EQ(got, log_);
}

}  // namespace
}  // namespace gantry::replog
