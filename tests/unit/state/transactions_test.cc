// SPDX-License-Identifier: Apache-2.0
// Open transactions: what half messages, outcomes, checks, trims and imports make of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fakes.h"
#include "state/state_machine.h"

namespace gantry::state {
namespace {

using Step = StateMachine::StepResult;
constexpr CommandStamp kStamp{1700000000123, Term(7)};

class TransactionsTest : public ::testing::Test {
 protected:
  explicit TransactionsTest(std::int32_t level = kTransactionsLevel) {
    apply(set_feature_level_command(kStamp, level));
  }
  LogPosition next() { return end_ = end_ + 1000; }
  void apply(const EncodedCommand& command) {
    const auto applied = machine_.apply(next(), command.body);
    ASSERT_TRUE(applied) << applied.error().message;
  }
  // A half message for `topic`; where it is.
  LogPosition open(const std::string& topic = "T") {
    const LogPosition position = end_;
    EXPECT_EQ(machine_.apply_half(next(), {position, halves_, 5, topic, -1, 0}), Step::kApplied);
    ++halves_;
    return position;
  }
  std::vector<LogPosition> all() const {
    std::vector<LogPosition> positions;
    for (const auto& [position, entry] : machine_.transactions().all()) {
      positions.push_back(position);
    }
    return positions;
  }

  StateMachine machine_;
  LogPosition end_;
  QueueOffset halves_;
};

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(TransactionsTest, AnOutcomeCountsOnce) {
  const LogPosition first = open(), second = open();
  EXPECT_EQ(machine_.apply_transaction_end(next(), first), Step::kApplied);
  EXPECT_EQ(machine_.apply_transaction_end(next(), first), Step::kDuplicate);
  EXPECT_EQ(machine_.apply_transaction_end(end_, second), Step::kAlreadyApplied);
  EXPECT_EQ(machine_.apply_transaction_end(next(), second + 1), Step::kDuplicate);
  EXPECT_THAT(all(), ElementsAre(second));
}

TEST_F(TransactionsTest, AHalfMessageThatWasAppliedIsNotOpenAgain) {
  const LogPosition half = open();
  ASSERT_EQ(machine_.apply_transaction_end(next(), half), Step::kApplied);
  const LogPosition applied = end_;
  EXPECT_EQ(machine_.apply_half(half + 1000, {half, QueueOffset(0), 5, "T", -1, 0}),
            Step::kAlreadyApplied);
  EXPECT_THAT(all(), IsEmpty());
  EXPECT_EQ(machine_.applied(), applied);
}

TEST_F(TransactionsTest, OpRecordsOfRocketMqNameQueueOffsets) {
  open();
  const LogPosition second = open();
  open();
  machine_.apply_transaction_ends(next(),
                                  std::vector{QueueOffset(2), QueueOffset(0), QueueOffset(77)});
  EXPECT_THAT(all(), ElementsAre(second));
  machine_.apply_transaction_ends(end_, std::vector{QueueOffset(1)});
  EXPECT_THAT(all(), ElementsAre(second)) << "that record was applied before";
}

TEST_F(TransactionsTest, TopicsAreCountedWhileTheyHaveOpenOnes) {
  const LogPosition half = open("A");
  open("A");
  open("B");
  EXPECT_EQ(machine_.transactions().by_topic().at("A"), 2U);
  machine_.apply_transaction_end(next(), half);
  EXPECT_EQ(machine_.transactions().by_topic().at("A"), 1U);
  machine_.apply_transaction_ends(next(), std::vector{QueueOffset(2)});
  EXPECT_FALSE(machine_.transactions().by_topic().contains("B"));
}

TEST_F(TransactionsTest, ChecksAreCountedForWhatIsOpen) {
  const LogPosition first = open(), second = open();
  machine_.apply_transaction_end(next(), first);
  apply(count_checks_command(kStamp, std::vector{first, second}));
  apply(count_checks_command(kStamp, std::vector{second}));
  EXPECT_EQ(machine_.transactions().find(first), nullptr);
  EXPECT_EQ(machine_.transactions().find(second)->checks, 2);
}

TEST_F(TransactionsTest, WhatIsTrimmedIsNotOpenAnyMore) {
  open();
  const LogPosition second = open();
  apply(trim_log_command(kStamp, second));
  EXPECT_THAT(all(), ElementsAre(second));
}

TEST_F(TransactionsTest, SnapshotsHoldThem) {
  open("A");
  const LogPosition second = open("B");
  apply(count_checks_command(kStamp, std::vector{second}));
  StateMachine loaded;
  ASSERT_TRUE(loaded.load_snapshot(machine_.serialize_snapshot()));
  EXPECT_EQ(loaded.transactions().all(), machine_.transactions().all());
  EXPECT_EQ(loaded.transactions().by_topic(), machine_.transactions().by_topic());
  EXPECT_EQ(loaded.digest(), machine_.digest());
  // Queue offsets, too, still find them.
  loaded.apply_transaction_ends(next(), std::vector{QueueOffset(1)});
  EXPECT_EQ(loaded.transactions().find(second), nullptr);
  EXPECT_NE(loaded.digest(), machine_.digest());
}

TEST_F(TransactionsTest, AnImportReplacesThem) {
  open();
  ImportedState imported;
  imported.transactions.push_back({LogPosition(7), QueueOffset(3), 11, "Imported", 9000, 4});
  for (const EncodedCommand& command : import_state_commands(kStamp, imported)) {
    EXPECT_EQ(command.feature_level, kTransactionsLevel);
    apply(command);
  }
  EXPECT_THAT(all(), ElementsAre(LogPosition(7)));
  EXPECT_EQ(*machine_.transactions().find(LogPosition(7)), imported.transactions[0]);
  EXPECT_EQ(machine_.last_import(), end_);
  StateMachine loaded;
  ASSERT_TRUE(loaded.load_snapshot(machine_.serialize_snapshot()));
  EXPECT_EQ(loaded.last_import(), end_);
}

TEST_F(TransactionsTest, AnImportWithoutAnyCanBeReadByOlderMembers) {
  for (const EncodedCommand& command : import_state_commands(kStamp, {})) {
    EXPECT_EQ(command.feature_level, kBaseFeatureLevel);
  }
}

class BeforeTransactionsTest : public TransactionsTest {
 protected:
  BeforeTransactionsTest() : TransactionsTest(kTransactionsLevel - 1) {}
};

TEST_F(BeforeTransactionsTest, HalfMessagesBelowTheLevelAreRocketMqsAndWaitForTheImport) {
  EXPECT_EQ(machine_.apply_half(next(), {LogPosition(0), QueueOffset(0), 5, "T", -1, 0}),
            Step::kDuplicate);
  EXPECT_THAT(all(), IsEmpty());
  for (const EncodedCommand& command : import_state_commands(kStamp, {})) apply(command);
  EXPECT_EQ(machine_.last_import(), LogPosition(0)) << "members of that level do not know it";
}

}  // namespace
}  // namespace gantry::state
