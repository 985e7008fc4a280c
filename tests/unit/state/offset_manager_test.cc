// SPDX-License-Identifier: Apache-2.0
#include "state/offset_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <tuple>

#include "fakes.h"

namespace gantry::state {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using CommitResult = OffsetManager::CommitResult;

constexpr std::int64_t kInterval = 200'000;

class OffsetManagerTest : public ::testing::Test {
 protected:
  OffsetManagerTest() { manager_.begin_term(Term(3)); }

  std::optional<QueueOffset> committed(std::string_view topic, std::int32_t queue_id) const {
    return machine_.offsets().committed("g", topic, queue_id);
  }
  void reset(std::int64_t offset, std::optional<Result<void>>& out) {
    manager_.reset({{"g", "t", 0, QueueOffset(offset)}}, PendingReset::kYes, into(out));
  }

  StateMachine machine_;
  FakeCommandLog log_{machine_};
  FakeClock clock_;
  OffsetManager manager_{machine_, log_, clock_};
};

TEST_F(OffsetManagerTest, CommitsAreVisibleAtOnceAndWrittenInOneBatch) {
  for (std::int32_t queue_id = 0; queue_id < 50; ++queue_id) {
    EXPECT_EQ(manager_.commit("g", "t", queue_id, QueueOffset(queue_id)), CommitResult::kStored);
    manager_.commit("g", "t", queue_id, QueueOffset(queue_id + 100));
  }
  EXPECT_EQ(manager_.query("g", "t", 7), QueueOffset(107));
  EXPECT_FALSE(committed("t", 7));
  EXPECT_EQ(manager_.dirty(), 50U);

  manager_.flush_if_due(kInterval);
  EXPECT_EQ(log_.appended(), 0U) << "200 ms have not passed";
  clock_.advance_ms(200);
  manager_.flush_if_due(kInterval);
  EXPECT_EQ(log_.appended(), 1U);
  EXPECT_EQ(manager_.dirty(), 0U);
  EXPECT_EQ(manager_.query("g", "t", 7), QueueOffset(107));
  log_.commit_all();
  EXPECT_EQ(committed("t", 7), QueueOffset(107));
  EXPECT_EQ(machine_.offsets().data_version().timestamp_ms, clock_.wall_ms());
  EXPECT_EQ(machine_.offsets().data_version().state_version, 3);
}

TEST_F(OffsetManagerTest, RepeatedCommitsCostNothing) {
  manager_.commit("g", "t", 0, QueueOffset(5));
  manager_.flush({});
  log_.commit_all();
  clock_.advance_ms(1000);
  EXPECT_EQ(manager_.commit("g", "t", 0, QueueOffset(5)), CommitResult::kStored);
  manager_.flush_if_due(kInterval);
  EXPECT_EQ(log_.appended(), 1U);
  manager_.commit("g", "t", 0, QueueOffset(4));
  EXPECT_EQ(manager_.query("g", "t", 0), QueueOffset(4)) << "going back is allowed";
}

TEST_F(OffsetManagerTest, OneBatchAtATimeAndLaterCommitsWaitForTheNext) {
  manager_.commit("g", "t", 0, QueueOffset(1));
  clock_.advance_ms(200);
  manager_.flush_if_due(kInterval);
  manager_.commit("g", "t", 0, QueueOffset(2));
  clock_.advance_ms(500);
  manager_.flush_if_due(kInterval);
  EXPECT_EQ(log_.appended(), 1U);
  log_.commit_all();
  EXPECT_EQ(committed("t", 0), QueueOffset(1));
  EXPECT_EQ(manager_.query("g", "t", 0), QueueOffset(2));
  manager_.flush_if_due(kInterval);
  log_.commit_all();
  EXPECT_EQ(committed("t", 0), QueueOffset(2));
}

TEST_F(OffsetManagerTest, ARefusedBatchIsWrittenAgain) {
  manager_.commit("g", "t", 0, QueueOffset(1));
  std::optional<Result<void>> flushed;
  manager_.flush(into(flushed));
  log_.fail_one();
  ASSERT_TRUE(flushed);
  EXPECT_EQ(flushed->error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(manager_.query("g", "t", 0), QueueOffset(1));
  EXPECT_EQ(manager_.dirty(), 1U);
  flushed.reset();
  manager_.flush(into(flushed));
  EXPECT_FALSE(flushed) << "only when applied";
  log_.commit_all();
  ASSERT_TRUE(flushed);
  EXPECT_TRUE(*flushed);
  EXPECT_EQ(committed("t", 0), QueueOffset(1));
}

TEST_F(OffsetManagerTest, FlushWithNothingToDoReportsAtOnceAndWaitsForABatchOnItsWay) {
  std::optional<Result<void>> flushed;
  manager_.flush(into(flushed));
  ASSERT_TRUE(flushed);
  EXPECT_TRUE(*flushed);
  manager_.commit("g", "t", 0, QueueOffset(1));
  manager_.flush({});
  flushed.reset();
  manager_.flush(into(flushed));
  EXPECT_FALSE(flushed);
  log_.commit_all();
  EXPECT_TRUE(flushed);
}

TEST_F(OffsetManagerTest, LargeFlushesAreCutIntoSeveralCommands) {
  for (int i = 0; i < 20000; ++i) {
    manager_.commit("group-" + std::to_string(i), "a-topic-of-some-length", 0, QueueOffset(i));
  }
  manager_.flush({});
  EXPECT_GE(log_.appended(), 2U);
  while (log_.pending() != 0) {
    EXPECT_LE(log_.front().size(), kCommandBytesMax);
    log_.commit_one();
  }
  EXPECT_EQ(machine_.offsets().committed("group-19999", "a-topic-of-some-length", 0),
            QueueOffset(19999));
}

TEST_F(OffsetManagerTest, ResetIsPendingUntilTheFirstPull) {
  manager_.commit("g", "t", 0, QueueOffset(9));
  EXPECT_FALSE(manager_.take_pending_reset("g", "t", 0));
  std::optional<Result<void>> done;
  reset(2, done);
  EXPECT_EQ(manager_.query("g", "t", 0), QueueOffset(2));
  EXPECT_EQ(manager_.commit("g", "t", 0, QueueOffset(10)), CommitResult::kPendingReset);
  EXPECT_EQ(manager_.commit("g", "t", 1, QueueOffset(10)), CommitResult::kStored);
  log_.commit_all();
  ASSERT_TRUE(done);
  EXPECT_TRUE(machine_.offsets().find("g", "t", 0)->pending_reset);
  EXPECT_TRUE(manager_.has_pending_reset("g", "t", 0));

  EXPECT_EQ(manager_.take_pending_reset("g", "t", 0), QueueOffset(2));
  EXPECT_FALSE(manager_.take_pending_reset("g", "t", 0));
  EXPECT_EQ(manager_.query("g", "t", 0), QueueOffset(2));
  EXPECT_EQ(manager_.commit("g", "t", 0, QueueOffset(3)), CommitResult::kStored);
  manager_.flush({});
  log_.commit_all();
  EXPECT_FALSE(machine_.offsets().find("g", "t", 0)->pending_reset);
  EXPECT_EQ(committed("t", 0), QueueOffset(3));
  EXPECT_EQ(manager_.dirty(), 0U);
}

TEST_F(OffsetManagerTest, ASecondResetAfterTheFirstWasTakenIsPendingAgain) {
  std::optional<Result<void>> done;
  reset(2, done);
  log_.commit_all();
  manager_.take_pending_reset("g", "t", 0);
  reset(5, done);  // flushes the taken one in front of it
  log_.commit_all();
  EXPECT_EQ(manager_.take_pending_reset("g", "t", 0), QueueOffset(5));
}

TEST_F(OffsetManagerTest, ARefusedResetLeavesTheOldOffset) {
  manager_.commit("g", "t", 0, QueueOffset(9));
  std::optional<Result<void>> done;
  reset(2, done);
  log_.commit_one();  // the flush in front
  log_.fail_one();
  ASSERT_TRUE(done);
  EXPECT_FALSE(*done);
  EXPECT_EQ(manager_.query("g", "t", 0), QueueOffset(9));
  EXPECT_FALSE(manager_.has_pending_reset("g", "t", 0));
}

TEST_F(OffsetManagerTest, ARefusedBatchThatAResetHasReplacedIsNotWrittenAgain) {
  manager_.commit("g", "t", 0, QueueOffset(9));
  std::optional<Result<void>> done;
  reset(2, done);
  log_.fail_one();  // the flush in front
  EXPECT_EQ(manager_.dirty(), 0U);
  log_.commit_all();
  EXPECT_TRUE(*done);
  EXPECT_EQ(manager_.take_pending_reset("g", "t", 0), QueueOffset(2));
}

TEST_F(OffsetManagerTest, ANewLeaderKnowsPendingResetsAndCommittedOffsetsOnly) {
  std::optional<Result<void>> done;
  reset(2, done);
  log_.commit_all();
  manager_.take_pending_reset("g", "t", 0);  // this leader dies before writing that
  manager_.commit("g", "t", 1, QueueOffset(4));
  std::optional<Result<void>> flushed;
  manager_.flush(into(flushed));
  manager_.end_term();
  ASSERT_TRUE(flushed);
  EXPECT_EQ(flushed->error().code, ErrorCode::kUnavailable);
  log_.fail_one(ErrorCode::kUnavailable);  // a late callback of the old term
  EXPECT_EQ(manager_.dirty(), 0U);
  EXPECT_EQ(manager_.commit("g", "t", 1, QueueOffset(4)), CommitResult::kNotLeading);
  EXPECT_FALSE(manager_.query("g", "t", 1));
  EXPECT_FALSE(manager_.take_pending_reset("g", "t", 0)) << "followers take none";

  manager_.begin_term(Term(4));
  EXPECT_EQ(manager_.take_pending_reset("g", "t", 0), QueueOffset(2));
}

TEST_F(OffsetManagerTest, RemovalAndCloneGoBehindWhatWasCommittedBefore) {
  manager_.commit("g", "t", 0, QueueOffset(5));
  manager_.commit("g", "u", 0, QueueOffset(6));
  manager_.clone("g", "copy", "", {});
  manager_.commit_pull_offset("g", "t", 0, QueueOffset(8));
  std::optional<Result<void>> done;
  manager_.remove("g", "t", into(done));
  log_.commit_all();
  ASSERT_TRUE(done);
  EXPECT_TRUE(*done);
  EXPECT_EQ(manager_.query("copy", "t", 0), QueueOffset(5));
  EXPECT_EQ(manager_.query("copy", "u", 0), QueueOffset(6));
  EXPECT_FALSE(manager_.query("g", "t", 0));
  EXPECT_FALSE(manager_.query_pull_offset("g", "t", 0));
  EXPECT_EQ(manager_.query("g", "u", 0), QueueOffset(6));
}

TEST_F(OffsetManagerTest, OffsetsOfARemovedTopicAreForgottenEvenWhenNotWrittenYet) {
  manager_.remove("", "t", {});
  manager_.commit("g", "t", 0, QueueOffset(5));
  log_.commit_all();
  EXPECT_FALSE(manager_.query("g", "t", 0));
  EXPECT_EQ(manager_.dirty(), 0U);
  manager_.flush({});
  EXPECT_EQ(log_.pending(), 0U);
}

TEST_F(OffsetManagerTest, PullOffsetsLiveInMemoryAndFallBackToTheCommittedOnes) {
  manager_.commit("g", "t", 0, QueueOffset(5));
  EXPECT_EQ(manager_.query_pull_offset("g", "t", 0), QueueOffset(5));
  manager_.commit_pull_offset("g", "t", 0, QueueOffset(9));
  EXPECT_EQ(manager_.query_pull_offset("g", "t", 0), QueueOffset(9));
  EXPECT_EQ(manager_.query("g", "t", 0), QueueOffset(5));
  EXPECT_FALSE(manager_.query_pull_offset("g", "t", 1));
}

TEST_F(OffsetManagerTest, ListsMergeTheTableAndWhatIsNotWrittenYet) {
  manager_.commit("g", "t", 0, QueueOffset(1));
  manager_.commit("h", "t", 0, QueueOffset(1));
  manager_.flush({});
  log_.commit_all();
  manager_.commit("g", "t", 0, QueueOffset(2));
  manager_.commit("g", "t", 1, QueueOffset(3));
  manager_.commit("g", "u", 0, QueueOffset(4));
  manager_.commit("i", "t", 0, QueueOffset(5));
  EXPECT_THAT(manager_.queues("g", "t"),
              ElementsAre(Pair(0, QueueOffset(2)), Pair(1, QueueOffset(3))));
  EXPECT_THAT(manager_.topics_of("g"), ElementsAre("t", "u"));
  EXPECT_THAT(manager_.groups_of("t"), ElementsAre("g", "h", "i"));
}

TEST_F(OffsetManagerTest, CallbacksMayOutliveTheManager) {
  auto manager = std::make_unique<OffsetManager>(machine_, log_, clock_);
  manager->begin_term(Term(3));
  manager->commit("g", "t", 0, QueueOffset(1));
  manager->flush({});
  manager.reset();
  log_.commit_all();
  EXPECT_EQ(committed("t", 0), QueueOffset(1));
}

// Random commits, resets, pulls, flushes and refused batches against the simplest model of what a
// consumer sees; at the end the replicated table has to say the same.
TEST_F(OffsetManagerTest, AgreesWithASimpleModel) {
  struct Expected {
    QueueOffset offset;
    bool pending = false;
  };
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    StateMachine machine;
    FakeCommandLog log(machine);
    FakeClock clock;
    OffsetManager manager(machine, log, clock);
    manager.begin_term(Term(1));
    std::map<std::pair<std::string, std::int32_t>, Expected> model;
    std::mt19937_64 random(seed);
    for (int i = 0; i < 400; ++i) {
      const std::string topic_name = random() % 2 == 0 ? "t" : "u";
      const auto queue_id = static_cast<std::int32_t>(random() % 3);
      const QueueOffset offset(static_cast<std::int64_t>(random() % 1000));
      const auto found = model.find({topic_name, queue_id});
      const bool pending = found != model.end() && found->second.pending;
      switch (random() % 8) {
        case 0:
        case 1:
        case 2:
          ASSERT_EQ(manager.commit("g", topic_name, queue_id, offset),
                    pending ? CommitResult::kPendingReset : CommitResult::kStored);
          if (!pending) model[{topic_name, queue_id}] = {offset, false};
          break;
        case 3:
          if (random() % 3 != 0) break;
          manager.reset({{"g", topic_name, queue_id, offset}}, PendingReset::kYes, {});
          model[{topic_name, queue_id}] = {offset, true};
          // Resets are not refused here: their callers undo nothing.
          log.commit_all();
          break;
        case 4:
          ASSERT_EQ(manager.take_pending_reset("g", topic_name, queue_id),
                    pending ? std::optional(found->second.offset) : std::nullopt);
          if (pending) found->second.pending = false;
          break;
        case 5:
          clock.advance_ms(200);
          manager.flush_if_due(kInterval);
          break;
        case 6:
          if (log.pending() != 0) log.commit_one();
          break;
        default:
          if (log.pending() != 0 && random() % 3 == 0) log.fail_one();
          break;
      }
      for (const auto& [key, expected] : model) {
        ASSERT_EQ(manager.query("g", key.first, key.second), expected.offset) << "seed " << seed;
        ASSERT_EQ(manager.has_pending_reset("g", key.first, key.second), expected.pending);
      }
    }
    log.commit_all();
    manager.flush({});
    log.commit_all();
    EXPECT_EQ(manager.dirty(), 0U);
    for (const auto& [key, expected] : model) {
      const auto* entry = machine.offsets().find("g", key.first, key.second);
      ASSERT_NE(entry, nullptr) << "seed " << seed;
      EXPECT_EQ(entry->offset, expected.offset) << "seed " << seed;
      EXPECT_EQ(entry->pending_reset, expected.pending) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace gantry::state
