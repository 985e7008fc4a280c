// SPDX-License-Identifier: Apache-2.0
// Disk errors under the log, and what the term-start record says.
#include <gtest/gtest.h>

#include "sim/power_cut_file_system.h"
#include "tests/unit/replog/log_test_util.h"

namespace gantry::replog {
namespace {

using testing::DiskOperation;
using testing::PowerCutFileSystem;

// A log whose disk refuses `operation` on the CommitLog from the first message on.
void append_on_failing_disk(FlushMode mode, DiskOperation operation, ErrorCode code) {
  PowerCutFileSystem disk;
  LogRig rig(disk, small_log(mode));
  ASSERT_TRUE(rig.start());
  std::promise<void> never;
  rig.on_shard([&] {
    disk.before = [=](DiskOperation asked, const std::string& path) -> Result<void> {
      if (asked != operation || !path.starts_with("/store/commitlog/")) return {};
      return make_error(code, path + ": the test's disk is broken");
    };
    ASSERT_TRUE(rig.append("message"));
    if (operation == DiskOperation::kSync) rig.log->flush();
  });
  never.get_future().wait();  // the process has to end; the test's timeout says that it did not
}

class LogDeathTest : public ::testing::Test {
 protected:
  LogDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  static constexpr int kExitCode = 70;
  static bool has_exit_code(int status) { return ::testing::ExitedWithCode(kExitCode)(status); }
};

TEST_F(LogDeathTest, AFailedSyncEndsTheProcess) {
  EXPECT_EXIT(append_on_failing_disk(FlushMode::kSync, DiskOperation::kSync, ErrorCode::kIo),
              has_exit_code,
              "sync of the log failed, ending the process: "
              "/store/commitlog/00000000000000000000: the test's disk is broken\n$");
}

TEST_F(LogDeathTest, AFailedSyncInTheBackgroundEndsTheProcessToo) {
  EXPECT_EXIT(append_on_failing_disk(FlushMode::kAsync, DiskOperation::kSync, ErrorCode::kIo),
              has_exit_code, "sync of the log failed, ending the process: .*is broken\n$");
}

TEST_F(LogDeathTest, AFailedWriteEndsTheProcess) {
  EXPECT_EXIT(append_on_failing_disk(FlushMode::kAsync, DiskOperation::kWrite, ErrorCode::kIo),
              has_exit_code,
              "writing the log failed, ending the process: "
              "/store/commitlog/00000000000000000000: the test's disk is broken\n$");
}

// The last term start that a log with these records has.
TermStart last_term_start(const std::vector<Seen>& records) {
  for (auto it = records.rbegin(); it != records.rend(); ++it) {
    if (it->topic != kLogTopic) continue;
    auto start = TermStart::decode(it->body);
    EXPECT_TRUE(start);
    return *start;
  }
  ADD_FAILURE() << "no term start";
  return {};
}

TEST(FlushMode, AChangeOverARestartBeginsATermThatSaysSo) {
  PowerCutFileSystem disk;
  std::int64_t term = 0;
  for (const FlushMode mode :
       {FlushMode::kAsync, FlushMode::kSync, FlushMode::kSync, FlushMode::kAsync}) {
    LogRig rig(disk, small_log(mode));
    ASSERT_TRUE(rig.start());
    rig.on_shard([&] {
      ASSERT_TRUE(rig.append("x"));
      ASSERT_TRUE(rig.log->stop());
    });
    const TermStart start = last_term_start(rig.seen.records);
    EXPECT_EQ(start.flush_mode, mode);
    EXPECT_EQ(start.term, Term(++term));
    rig.on_shard([&] { EXPECT_EQ(rig.log->flush_mode(), mode); });
  }
}

// The record is what the next start, and another member, reads: so it must be in the bytes.
TEST(FlushMode, IsReadBackFromTheRecord) {
  for (const FlushMode mode : {FlushMode::kAsync, FlushMode::kSync}) {
    TermStart start;
    start.term = Term(7);
    start.leader_uuid = "member";
    start.flush_mode = mode;
    const auto back = TermStart::decode(start.encode());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->flush_mode, mode);
  }
}

}  // namespace
}  // namespace gantry::replog
