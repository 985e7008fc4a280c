// SPDX-License-Identifier: Apache-2.0
// When the leader writes what a group subscribes to, and what it writes.
#include "broker/client/subscription_keeper.h"

#include <gtest/gtest.h>

#include "broker/client/client_manager.h"
#include "tests/unit/state/fakes.h"

namespace gantry::broker {
namespace {

using protocol::SubscriptionData;
using state::subscription;
using state::subscriptions;

ConsumerGroup online(std::vector<SubscriptionData> all) {
  ConsumerGroup group;
  for (SubscriptionData& data : all) {
    std::string topic = data.topic;
    group.subscriptions.emplace(std::move(topic), Subscription{std::move(data), 0});
  }
  return group;
}

class SubscriptionKeeperTest : public ::testing::Test {
 protected:
  SubscriptionKeeperTest() {
    proposals_.begin_term(Term(1));
    proposals_.set_feature_level(state::kSubscriptionsLevel, {});
    proposals_.put_groups({state::group("g")}, {});
    log_.commit_all();
  }

  // A heartbeat after which the group is `online_`, or another event that shows it.
  void note(std::vector<SubscriptionData> all, Heard heard = Heard::kAll) {
    online_ = online(std::move(all));
    keeper_.note("g", online_, heard);
  }
  void write_due() {
    keeper_.write_due([this](const std::string&) { return is_online_ ? &online_ : nullptr; });
  }
  const state::GroupSubscriptions* known() const { return machine_.subscriptions().find("g"); }

  state::FakeClock clock_;
  state::StateMachine machine_;
  state::FakeCommandLog log_{machine_};
  state::OffsetManager offsets_{machine_, log_, clock_};
  state::Proposals proposals_{machine_, log_, offsets_, clock_};
  SubscriptionKeeper keeper_{machine_, proposals_, clock_};
  ConsumerGroup online_;
  bool is_online_ = true;
};

TEST_F(SubscriptionKeeperTest, TheFirstHeartbeatIsWrittenAtOnceAndItsRepetitionNever) {
  const auto all = {subscription("t", "A || B", 100), subscription("%RETRY%g", "*", 100)};
  note(all);
  note(all);
  EXPECT_EQ(log_.pending(), 1U) << "the first is on its way";
  log_.commit_all();
  ASSERT_NE(known(), nullptr);
  EXPECT_EQ(*known(), subscriptions(all));
  clock_.advance_ms(SubscriptionKeeper::kIntervalMs);
  note(all);
  write_due();
  EXPECT_EQ(log_.pending(), 0U);
}

TEST_F(SubscriptionKeeperTest, ModelAndTypeCountAsWell) {
  ConsumerGroup group = online({subscription("t", "*", 1)});
  group.message_model = protocol::MessageModel::kBroadcasting;
  group.consume_type = protocol::ConsumeType::kActively;
  keeper_.note("g", group, Heard::kAll);
  log_.commit_all();
  ASSERT_NE(known(), nullptr);
  EXPECT_EQ(known()->message_model, protocol::MessageModel::kBroadcasting);
  EXPECT_EQ(known()->consume_type, protocol::ConsumeType::kActively);
}

TEST_F(SubscriptionKeeperTest, ClientsThatDifferWriteOnceInAnInterval) {
  const std::size_t before = log_.appended();
  for (int i = 0; i < 100; ++i) {
    note({subscription("t", "*", 1)});
    note({subscription("u", "*", 2)});
    write_due();
    log_.commit_all();
    clock_.advance_ms(SubscriptionKeeper::kIntervalMs / 10);
  }
  EXPECT_EQ(log_.appended() - before, 10U);
}

TEST_F(SubscriptionKeeperTest, WhatHadToWaitIsWrittenWhenTheIntervalIsOver) {
  note({subscription("t", "A", 1)});
  note({subscription("t", "B", 2)});
  log_.commit_all();
  clock_.advance_ms(SubscriptionKeeper::kIntervalMs - 1);
  write_due();
  EXPECT_EQ(log_.pending(), 0U);
  EXPECT_EQ(known()->find("t")->sub_string, "A");
  clock_.advance_ms(1);
  write_due();
  log_.commit_all();
  EXPECT_EQ(known()->find("t")->sub_string, "B");
  EXPECT_EQ(known()->find("t")->sub_version, 2);
}

TEST_F(SubscriptionKeeperTest, AClockThatIsSetBackHoldsNothingUp) {
  note({subscription("t", "A", 1)});
  log_.commit_all();
  clock_.advance_ms(-3600000);
  note({subscription("t", "B", 2)});
  log_.commit_all();
  EXPECT_EQ(known()->find("t")->sub_string, "B");
}

TEST_F(SubscriptionKeeperTest, AGroupThatWentOfflineKeepsWhatIsKnown) {
  note({subscription("t", "A", 1)});
  note({subscription("t", "B", 2)});
  log_.commit_all();
  is_online_ = false;
  clock_.advance_ms(SubscriptionKeeper::kIntervalMs);
  write_due();
  EXPECT_EQ(log_.pending(), 0U);
  EXPECT_EQ(known()->find("t")->sub_string, "A");
}

TEST_F(SubscriptionKeeperTest, ATopicThatIsNotListedAnyMoreGoes) {
  note({subscription("t", "*", 1), subscription("u", "*", 1)});
  log_.commit_all();
  clock_.advance_ms(SubscriptionKeeper::kIntervalMs);
  note({subscription("t", "*", 1)}, Heard::kPart);
  EXPECT_EQ(log_.pending(), 0U) << "other clients may have listed it";
  note({subscription("t", "*", 1)});
  log_.commit_all();
  EXPECT_EQ(known()->find("u"), nullptr);
  clock_.advance_ms(SubscriptionKeeper::kIntervalMs);
  note({});
  log_.commit_all();
  EXPECT_EQ(known(), nullptr);
}

// As after a restart of the leader: the instance that began first is back first.
TEST_F(SubscriptionKeeperTest, OfEqualSubscriptionsTheNewestVersionStays) {
  note({subscription("t", "A", 300)});
  log_.commit_all();
  clock_.advance_ms(SubscriptionKeeper::kIntervalMs);
  note({subscription("t", "A", 200)});
  EXPECT_EQ(log_.pending(), 0U);
  note({subscription("t", "A", 400)});
  log_.commit_all();
  EXPECT_EQ(known()->find("t")->sub_version, 400);
}

// Else a filter of clients that are long gone would stay: their clock may have been ahead, or
// theirs was in another unit.
TEST_F(SubscriptionKeeperTest, AnotherSubscriptionCountsWhateverItsVersion) {
  note({subscription("t", "A", 300)});
  log_.commit_all();
  clock_.advance_ms(SubscriptionKeeper::kIntervalMs);
  note({subscription("t", "B", 200)});
  log_.commit_all();
  EXPECT_EQ(*known()->find("t"), subscription("t", "B", 200));

  clock_.advance_ms(SubscriptionKeeper::kIntervalMs);
  note({subscription("t", "B", 1700000000000000000)});
  log_.commit_all();
  clock_.advance_ms(SubscriptionKeeper::kIntervalMs);
  note({subscription("t", "B", 1700000000000)});
  log_.commit_all();
  EXPECT_EQ(known()->find("t")->sub_version, 1700000000000);
}

TEST_F(SubscriptionKeeperTest, AFollowerWritesNothingAndALeaderOnlyWhatItKnowsBetter) {
  note({subscription("t", "A", 200), subscription("u", "A", 200), subscription("v", "A", 200)});
  log_.commit_all();
  const std::size_t before = log_.appended();
  proposals_.end_term();
  keeper_.forget_all();
  clock_.advance_ms(SubscriptionKeeper::kIntervalMs);
  note({subscription("t", "B", 300), subscription("u", "B", 100)});
  write_due();
  EXPECT_EQ(log_.appended(), before);
  proposals_.begin_term(Term(2));
  keeper_.note("g", online_, Heard::kPart);
  log_.commit_all();
  EXPECT_EQ(*known(), subscriptions({subscription("t", "B", 300), subscription("u", "A", 200),
                                     subscription("v", "A", 200)}));
}

TEST_F(SubscriptionKeeperTest, AWriteThatFailedIsTriedAgain) {
  note({subscription("t", "A", 1), subscription("u", "A", 1)});
  log_.commit_all();
  clock_.advance_ms(SubscriptionKeeper::kIntervalMs);
  note({subscription("t", "A", 1)});
  log_.fail_one();
  write_due();
  EXPECT_EQ(log_.pending(), 0U);
  clock_.advance_ms(SubscriptionKeeper::kIntervalMs);
  write_due();
  log_.commit_all();
  EXPECT_EQ(*known(), subscriptions({subscription("t", "A", 1)}));
}

TEST_F(SubscriptionKeeperTest, AGroupThatDoesNotExistIsNotKept) {
  keeper_.note("h", online({subscription("t", "*", 1)}), Heard::kAll);
  EXPECT_EQ(log_.pending(), 0U);
  note({subscription("t", "A", 1)});
  note({subscription("t", "B", 2)});
  proposals_.delete_group("g", state::CleanOffsets::kNo, {});
  log_.commit_all();
  clock_.advance_ms(SubscriptionKeeper::kIntervalMs);
  write_due();
  EXPECT_EQ(log_.pending(), 0U);
  EXPECT_EQ(known(), nullptr);
}

TEST_F(SubscriptionKeeperTest, BelowItsFeatureLevelNothingIsProposedUntilItRises) {
  state::StateMachine machine;
  state::FakeCommandLog log(machine);
  state::OffsetManager offsets(machine, log, clock_);
  state::Proposals proposals(machine, log, offsets, clock_);
  SubscriptionKeeper keeper(machine, proposals, clock_);
  proposals.begin_term(Term(1));
  proposals.set_feature_level(state::kSubscriptionsLevel - 1, {});
  proposals.put_groups({state::group("g")}, {});
  log.commit_all();
  const std::size_t before = log.appended();
  const ConsumerGroup group = online({subscription("t", "*", 1)});
  const auto write_due = [&] { keeper.write_due([&](const std::string&) { return &group; }); };
  keeper.note("g", group, Heard::kAll);
  write_due();
  EXPECT_EQ(log.appended(), before);
  proposals.set_feature_level(state::kSubscriptionsLevel, {});
  log.commit_all();
  write_due();
  log.commit_all();
  ASSERT_NE(machine.subscriptions().find("g"), nullptr);
  EXPECT_EQ(*machine.subscriptions().find("g"), subscriptions({subscription("t", "*", 1)}));
}

TEST(SubscriptionVersion, IsComparedWithinOneUnit) {
  EXPECT_TRUE(at_least_as_new(1700000000001, 1700000000000));
  EXPECT_TRUE(at_least_as_new(7, 7));
  EXPECT_FALSE(at_least_as_new(6, 7));
  EXPECT_FALSE(at_least_as_new(1700000000000000000, 1700000000000)) << "ns and ms";
  EXPECT_TRUE(at_least_as_new(1700000000000, 0));
}

}  // namespace
}  // namespace gantry::broker
