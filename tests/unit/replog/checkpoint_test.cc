// SPDX-License-Identifier: Apache-2.0
// What a checkpoint says after the log has been cut: a start must not take bytes that a leader's
// log replaced for bytes that are missing.
#include "replog/checkpoint.h"

#include <gtest/gtest.h>

#include "tests/support/memory_file_system.h"

namespace gantry::replog {
namespace {

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() { reopen(); }

  void reopen() {
    auto opened = CheckpointFile::open(fs_, "/checkpoint");
    ASSERT_TRUE(opened);
    file_ = std::move(*opened);
  }
  Checkpoint made(std::int64_t durable) const {
    Checkpoint c;
    c.durable = LogPosition(durable);
    c.queues_applied = c.index_applied = LogPosition(300);
    c.cuts = file_->cuts();
    return c;
  }
  std::int64_t durable_on_disk() {
    reopen();
    return file_->value() ? file_->value()->durable.v : -1;
  }

  testing::MemoryFileSystem fs_;
  std::unique_ptr<CheckpointFile> file_;
};

TEST_F(CheckpointTest, WhatIsCutIsNotCalledDurableAnyMore) {
  ASSERT_TRUE(file_->save(made(1000)));
  ASSERT_TRUE(file_->cut(LogPosition(400)));
  EXPECT_EQ(durable_on_disk(), 400);
  EXPECT_EQ(file_->value()->queues_applied, LogPosition(300));
}

TEST_F(CheckpointTest, ACutBehindItChangesNothing) {
  ASSERT_TRUE(file_->save(made(1000)));
  ASSERT_TRUE(file_->cut(LogPosition(2000)));
  EXPECT_EQ(durable_on_disk(), 1000);
}

TEST_F(CheckpointTest, ACleanMarkDoesNotOutliveACut) {
  Checkpoint clean = made(1000);
  clean.clean = true;
  ASSERT_TRUE(file_->save(clean));
  ASSERT_TRUE(file_->cut(LogPosition(400)));
  reopen();
  EXPECT_FALSE(file_->value()->clean);
}

TEST_F(CheckpointTest, OneThatWasMadeBeforeACutDoesNotUndoIt) {
  ASSERT_TRUE(file_->save(made(1000)));
  const Checkpoint late = made(1500);
  ASSERT_TRUE(file_->cut(LogPosition(400)));
  ASSERT_TRUE(file_->save(late));
  EXPECT_EQ(durable_on_disk(), 400);
  ASSERT_TRUE(file_->save(made(700)));
  EXPECT_EQ(durable_on_disk(), 700);
}

TEST_F(CheckpointTest, OneThatWasMadeBeforeTheFirstCutVouchesForNothing) {
  const Checkpoint late = made(1500);
  ASSERT_TRUE(file_->cut(LogPosition(400)));
  ASSERT_TRUE(file_->save(late));
  EXPECT_EQ(durable_on_disk(), 0);
}

}  // namespace
}  // namespace gantry::replog
