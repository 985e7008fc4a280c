// SPDX-License-Identifier: Apache-2.0
#include "state/proposals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "fakes.h"

namespace gantry::state {
namespace {

class ProposalsTest : public ::testing::Test {
 protected:
  ProposalsTest() { proposals_.begin_term(Term(5)); }

  StateMachine machine_;
  FakeCommandLog log_{machine_};
  FakeClock clock_;
  OffsetManager offsets_{machine_, log_, clock_};
  Proposals proposals_{machine_, log_, offsets_, clock_};
};

TEST_F(ProposalsTest, AProposedTopicIsVisibleToTheLeaderOnlyUntilApplied) {
  std::optional<Result<void>> done;
  proposals_.put_topics({topic("t", 4)}, into(done));
  EXPECT_FALSE(done);
  ASSERT_NE(proposals_.find_topic("t"), nullptr);
  EXPECT_EQ(machine_.topics().find("t"), nullptr) << "nothing uncommitted in the tables";
  log_.commit_all();
  ASSERT_TRUE(done);
  EXPECT_TRUE(*done);
  EXPECT_EQ(proposals_.find_topic("t"), machine_.topics().find("t"));
  EXPECT_EQ(machine_.topics().data_version().state_version, 5);
  EXPECT_EQ(machine_.topics().data_version().timestamp_ms, clock_.wall_ms());
}

TEST_F(ProposalsTest, TheNewestProposalIsSeenAndARefusedOneIsTakenBack) {
  proposals_.put_topics({topic("t", 4)}, {});
  proposals_.put_topics({topic("t", 8)}, {});
  std::optional<Result<void>> done;
  proposals_.delete_topics({"t"}, into(done));
  EXPECT_EQ(proposals_.find_topic("t"), nullptr);
  log_.commit_one();
  EXPECT_EQ(proposals_.find_topic("t"), nullptr);
  log_.commit_one();
  log_.fail_one();
  EXPECT_EQ(done->error().code, ErrorCode::kDiskFull);
  ASSERT_NE(proposals_.find_topic("t"), nullptr);
  EXPECT_EQ(proposals_.find_topic("t")->read_queue_nums, 8);

  proposals_.put_topics({topic("t", 1)}, {});
  proposals_.put_topics({topic("t", 2)}, {});
  log_.fail_one();
  EXPECT_EQ(proposals_.find_topic("t")->read_queue_nums, 2);
  log_.fail_one();
  EXPECT_EQ(proposals_.find_topic("t")->read_queue_nums, 8);
}

TEST_F(ProposalsTest, AnAppliedTopicThatStaysTheSameCostsNoCommand) {
  proposals_.put_topics({topic("t", 4)}, {});
  std::optional<Result<void>> again;
  proposals_.put_topics({topic("t", 4)}, into(again));
  EXPECT_FALSE(again) << "not yet committed, so not yet done";
  log_.commit_all();
  EXPECT_TRUE(*again);
  EXPECT_EQ(machine_.topics().data_version().counter, 1);
  const std::size_t appended = log_.appended();
  again.reset();
  proposals_.put_topics({topic("t", 4)}, into(again));
  ASSERT_TRUE(again);
  EXPECT_TRUE(*again);
  EXPECT_EQ(log_.appended(), appended);

  // Equal to the applied one, but a change is on its way: this one has to follow it.
  proposals_.put_topics({topic("t", 8)}, {});
  proposals_.put_topics({topic("t", 4)}, {});
  EXPECT_EQ(proposals_.find_topic("t")->read_queue_nums, 4);
  log_.commit_all();
  EXPECT_EQ(machine_.topics().find("t")->read_queue_nums, 4);
}

TEST_F(ProposalsTest, GroupsBehaveLikeTopics) {
  proposals_.put_groups({group("g", 3)}, {});
  EXPECT_EQ(proposals_.find_group("g")->retry_max_times, 3);
  EXPECT_EQ(machine_.groups().find("g"), nullptr);
  log_.commit_all();
  EXPECT_EQ(proposals_.find_group("g")->retry_max_times, 3);
  proposals_.delete_group("g", CleanOffsets::kNo, {});
  EXPECT_EQ(proposals_.find_group("g"), nullptr);
  EXPECT_NE(machine_.groups().find("g"), nullptr);
  log_.commit_all();
  EXPECT_EQ(machine_.groups().find("g"), nullptr);
  proposals_.set_forbidden({{"g", "t", 4}}, {});
  log_.commit_all();
  EXPECT_EQ(machine_.groups().forbidden("g", "t"), 4);
}

TEST_F(ProposalsTest, DeletesTakeOffsetsThatWereNotWrittenYet) {
  proposals_.put_topics({topic("t")}, {});
  proposals_.put_groups({group("g")}, {});
  log_.commit_all();
  offsets_.commit("g", "t", 0, QueueOffset(3));
  proposals_.delete_topics({"t"}, {});
  log_.commit_all();
  EXPECT_FALSE(offsets_.query("g", "t", 0));
  offsets_.commit("g", "u", 0, QueueOffset(3));
  proposals_.delete_group("g", CleanOffsets::kYes, {});
  log_.commit_all();
  EXPECT_FALSE(offsets_.query("g", "u", 0));
  offsets_.flush({});
  EXPECT_EQ(log_.pending(), 0U);
}

TEST_F(ProposalsTest, AnEndedTermDropsTheViewAndLateCallbacksDoNoHarm) {
  std::optional<Result<void>> done;
  proposals_.put_topics({topic("t", 4)}, into(done));
  proposals_.end_term();
  EXPECT_FALSE(proposals_.leading());
  EXPECT_EQ(proposals_.find_topic("t"), nullptr);
  std::optional<Result<void>> refused;
  proposals_.put_topics({topic("u")}, into(refused));
  EXPECT_EQ(refused->error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(log_.appended(), 1U);

  proposals_.begin_term(Term(6));
  proposals_.put_topics({topic("t", 8)}, {});
  log_.fail_one(ErrorCode::kUnavailable);  // the old term's
  EXPECT_EQ(done->error().code, ErrorCode::kUnavailable);
  ASSERT_NE(proposals_.find_topic("t"), nullptr) << "the new term's proposal is still on its way";
  EXPECT_EQ(proposals_.find_topic("t")->read_queue_nums, 8);
}

TEST_F(ProposalsTest, CallbacksMayOutliveTheProposals) {
  auto own = std::make_unique<Proposals>(machine_, log_, offsets_, clock_);
  own->begin_term(Term(6));
  std::optional<Result<void>> done;
  own->put_topics({topic("t")}, into(done));
  own.reset();
  log_.commit_all();
  EXPECT_TRUE(done);
  EXPECT_NE(machine_.topics().find("t"), nullptr);
}

TEST_F(ProposalsTest, FeatureLevelIsRaisedOnlyAsFarAsTheLeaderSupports) {
  StateMachine machine(3);
  FakeCommandLog log(machine);
  OffsetManager offsets(machine, log, clock_);
  Proposals proposals(machine, log, offsets, clock_);
  proposals.begin_term(Term(1));
  std::optional<Result<void>> done;
  proposals.set_feature_level(4, into(done));
  EXPECT_EQ(done->error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(log.appended(), 0U);
  proposals.set_feature_level(3, into(done));
  log.commit_all();
  EXPECT_TRUE(*done);
  EXPECT_EQ(machine.feature_level(), 3);
}

TEST_F(ProposalsTest, WhatFollowsARaisedLevelInTheLogMayNeedIt) {
  StateMachine machine;
  FakeCommandLog log(machine);
  OffsetManager offsets(machine, log, clock_);
  Proposals proposals(machine, log, offsets, clock_);
  proposals.begin_term(Term(1));
  std::optional<Result<void>> raised, counted;
  const std::vector<LogPosition> none;
  proposals.count_checks(none, into(counted));
  EXPECT_EQ(counted->error().code, ErrorCode::kUnsupported);
  proposals.set_feature_level(kTransactionsLevel, into(raised));
  EXPECT_EQ(proposals.feature_level(), kTransactionsLevel);
  proposals.count_checks(none, into(counted));
  log.commit_all();
  EXPECT_TRUE(*raised);
  EXPECT_TRUE(*counted);
  proposals.end_term();
  EXPECT_EQ(proposals.feature_level(), kTransactionsLevel) << "it is applied";
}

TEST_F(ProposalsTest, SubscriptionsAreInTheViewAtOnceAndGoWithTheirGroup) {
  const GroupSubscriptions first = subscriptions({subscription("t", "A", 1)});
  const GroupSubscriptions second = subscriptions({subscription("t", "B", 2)});
  std::optional<Result<void>> done;
  proposals_.put_groups({group("g")}, {});
  proposals_.put_subscriptions("g", first, into(done));
  EXPECT_EQ(done->error().code, ErrorCode::kUnsupported) << "the set is at level 1";
  EXPECT_EQ(proposals_.find_subscriptions("g"), nullptr);
  proposals_.set_feature_level(kSubscriptionsLevel, {});
  log_.commit_all();

  proposals_.put_subscriptions("g", first, into(done));
  ASSERT_NE(proposals_.find_subscriptions("g"), nullptr);
  EXPECT_EQ(*proposals_.find_subscriptions("g"), first);
  EXPECT_EQ(machine_.subscriptions().find("g"), nullptr);
  log_.commit_all();
  EXPECT_TRUE(*done);
  EXPECT_EQ(*machine_.subscriptions().find("g"), first);

  proposals_.put_subscriptions("g", second, into(done));
  log_.fail_one();
  EXPECT_EQ(done->error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(*proposals_.find_subscriptions("g"), first);
  proposals_.put_subscriptions("g", {}, {});
  EXPECT_EQ(proposals_.find_subscriptions("g"), nullptr);
  proposals_.put_subscriptions("g", second, {});
  proposals_.delete_group("g", CleanOffsets::kNo, into(done));
  EXPECT_EQ(proposals_.find_subscriptions("g"), nullptr);
  log_.commit_all();
  EXPECT_TRUE(*done);
  EXPECT_EQ(proposals_.find_group("g"), nullptr);
  EXPECT_TRUE(machine_.subscriptions().all().empty());
}

TEST_F(ProposalsTest, SubscriptionsThatMakeTooLargeACommandAreRefused) {
  proposals_.set_feature_level(kSubscriptionsLevel, {});
  log_.commit_all();
  std::optional<Result<void>> done;
  proposals_.put_subscriptions(
      "g", subscriptions({subscription("t", std::string(kCommandBytesMax, 'x'), 1)}), into(done));
  EXPECT_EQ(done->error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(log_.pending(), 0U);
}

TEST_F(ProposalsTest, TrimIsReplicated) {
  std::optional<Result<void>> done;
  proposals_.trim_log(LogPosition(4096), into(done));
  EXPECT_EQ(machine_.trim_position(), LogPosition(0));
  log_.commit_all();
  EXPECT_TRUE(*done);
  EXPECT_EQ(machine_.trim_position(), LogPosition(4096));
}

TEST_F(ProposalsTest, AnImportReportsOnceWithTheFirstError) {
  ImportedState state;
  for (int i = 0; i < 40000; ++i) state.topics.push_back(topic("topic-" + std::to_string(i)));
  int calls = 0;
  std::optional<Result<void>> done;
  const auto report = [&](Result<void> result) {
    ++calls;
    done = std::move(result);
  };
  proposals_.import(state, report);
  ASSERT_GE(log_.pending(), 2U);
  log_.fail_one();
  log_.commit_all();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(done->error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(machine_.topics().size(), 0U) << "later parts without the first have no effect";
  proposals_.import(state, report);
  log_.commit_all();
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(*done);
  EXPECT_EQ(machine_.topics().size(), 40000U);
  EXPECT_FALSE(machine_.import_open());
}

}  // namespace
}  // namespace gantry::state
