// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/replog/log_test_util.h"

namespace gantry::replog {
namespace {

std::string body(int i) { return "message " + std::to_string(i) + std::string(100, '.'); }

TEST(Log, EachStartIsANewTermWithATermStartRecord) {
  testing::MemoryFileSystem fs;
  for (int term = 1; term <= 3; ++term) {
    LogRig rig(fs);
    ASSERT_TRUE(rig.start());
    rig.on_shard([&] {
      EXPECT_EQ(rig.log->term(), Term(term));
      ASSERT_FALSE(rig.log->epochs().all().empty());
      EXPECT_EQ(rig.log->epochs().last_term(), Term(term));
      EXPECT_TRUE(rig.log->stop());
    });
    EXPECT_EQ(rig.seen.records.back().topic, kLogTopic);
  }
}

TEST(Log, NothingIsAppliedBeforeItIsCommitted) {
  testing::MemoryFileSystem fs;
  LogRig rig(fs);
  ASSERT_TRUE(rig.start());
  rig.on_shard([&] {
    ASSERT_TRUE(rig.append("one"));
    ASSERT_TRUE(rig.append("two"));
    EXPECT_TRUE(rig.seen.messages().empty());
    EXPECT_LT(rig.log->committed(), rig.log->end());
  });
  EXPECT_EQ(rig.seen.messages(), (std::vector<std::string>{"one", "two"}));
  rig.on_shard([&] { EXPECT_EQ(rig.log->committed(), rig.log->end()); });
}

TEST(Log, SyncFlushCommitsOnlyWhatIsDurable) {
  testing::MemoryFileSystem fs;
  LogRig rig(fs, small_log(FlushMode::kSync));
  ASSERT_TRUE(rig.start());
  std::promise<void> applied;
  rig.on_shard([&] {
    rig.log->append_command("x", [&](Result<void> done) {
      EXPECT_TRUE(done);
      EXPECT_GE(rig.log->durable(), rig.log->committed());
      applied.set_value();
    });
  });
  applied.get_future().get();
  EXPECT_GT(fs.syncs, 0);
}

TEST(Log, RecordsSurviveAReopenByteForByte) {
  testing::MemoryFileSystem fs;
  std::vector<std::string> sent;
  LogPosition last;
  {
    LogRig rig(fs);
    ASSERT_TRUE(rig.start());
    rig.on_shard([&] {
      for (int i = 0; i < 200; ++i) {  // several files
        sent.push_back(body(i));
        const auto position = rig.append(sent.back());
        ASSERT_TRUE(position);
        last = *position;
      }
    });
    EXPECT_EQ(rig.seen.messages(), sent);
    // No clean stop: as after a kill.
  }
  LogRig again(fs);
  ASSERT_TRUE(again.start());
  EXPECT_EQ(again.seen.messages(), sent);
  EXPECT_TRUE(again.scan.damaged.empty());
  again.on_shard([&] {
    bool would_block = false;
    const auto bytes = again.log->read_record_blocking(last);
    ASSERT_TRUE(bytes);
    const auto record = again.log->read_record(last, bytes->size(), &would_block);
    EXPECT_FALSE(would_block);
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_EQ(record->body, sent.back());
    EXPECT_FALSE(again.log->read_record_blocking(again.log->end()));
  });
}

TEST(Log, FilesEndWithABlankThatReachesTheEnd) {
  testing::MemoryFileSystem fs;
  LogRig rig(fs);
  ASSERT_TRUE(rig.start());
  LogPosition second;
  rig.on_shard([&] {
    for (int i = 0; i < 60; ++i) {
      const auto p = rig.append(body(i));
      ASSERT_TRUE(p);
      if (p->v >= 8192 && second.v == 0) second = *p;
    }
  });
  EXPECT_EQ(second, LogPosition(8192));
}

TEST(Log, FullDiskStopsMessagesButNotCommands) {
  testing::MemoryFileSystem fs;
  LogRig rig(fs);
  ASSERT_TRUE(rig.start());
  fs.space_left = 0;
  ErrorCode refused{};
  int stored = 0;
  rig.on_shard([&] {
    for (int i = 0; i < 500; ++i) {
      const auto p = rig.append(body(i));
      if (!p) {
        refused = p.error().code;
        break;
      }
      ++stored;
    }
  });
  EXPECT_EQ(refused, ErrorCode::kDiskFull);
  EXPECT_GT(stored, 10);
  std::promise<Result<void>> done;
  rig.on_shard([&] {
    rig.log->append_command(std::string(500, 'c'),
                            [&](Result<void> r) { done.set_value(std::move(r)); });
  });
  EXPECT_TRUE(done.get_future().get());
  fs.space_left = 1 << 20;
  rig.on_shard([&] { EXPECT_TRUE(rig.append("space is back")); });
  EXPECT_EQ(rig.seen.messages().back(), "space is back");
}

TEST(Log, StoreTimeNeverStepsBackByLessThanAMinute) {
  testing::MemoryFileSystem fs;
  LogRig rig(fs);
  ASSERT_TRUE(rig.start());
  const auto put_at = [&](std::int64_t ms) {
    rig.clock.now_ms = ms;
    rig.on_shard([&] { ASSERT_TRUE(rig.append("t")); });
    return rig.seen.records.back().store_ms;
  };
  EXPECT_EQ(put_at(2'000'000), 2'000'000);
  EXPECT_EQ(put_at(1'999'000), 2'000'000);
  EXPECT_EQ(put_at(1'000'000), 1'000'000);  // more than a minute: the clock was set
  EXPECT_EQ(put_at(1'000'500), 1'000'500);
}

TEST(Log, UncommittedBytesAreBounded) {
  testing::MemoryFileSystem fs;
  LogOptions options = small_log();
  options.uncommitted_bytes_max = 2000;
  LogRig rig(fs, options);
  ASSERT_TRUE(rig.start());
  rig.on_shard([&] {
    Result<LogPosition> p = LogPosition(0);
    for (int i = 0; i < 50 && p; ++i) p = rig.append(body(i));
    ASSERT_FALSE(p);
    EXPECT_EQ(p.error().code, ErrorCode::kBusy);
  });
  rig.on_shard([&] { EXPECT_TRUE(rig.append("after the commit")); });
}

TEST(Log, StoppingAnswersCommandsAndRefusesMore) {
  testing::MemoryFileSystem fs;
  LogRig rig(fs);
  ASSERT_TRUE(rig.start());
  rig.on_shard([&] {
    ASSERT_TRUE(rig.append("last"));
    ASSERT_TRUE(rig.log->stop());
    EXPECT_EQ(rig.log->durable(), rig.log->end());
    const auto late = rig.append("late");
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::kUnavailable);
  });
  EXPECT_EQ(rig.seen.messages().back(), "last");
}

TEST(Log, OversizedRecordIsRefused) {
  testing::MemoryFileSystem fs;
  LogRig rig(fs);
  ASSERT_TRUE(rig.start());
  rig.on_shard([&] {
    const auto p = rig.append(std::string(5000, 'x'));
    ASSERT_FALSE(p);
    EXPECT_EQ(p.error().code, ErrorCode::kInvalidArgument);
  });
}

}  // namespace
}  // namespace gantry::replog
