// SPDX-License-Identifier: Apache-2.0
// What a group without a majority may begin again with, and whom the new one talks to. Whole
// groups: tests/script/raft/recover*.txt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "raft/core.h"

namespace gantry::raft {
namespace {

using ::testing::HasSubstr;

LogPosition at(std::int64_t v) { return LogPosition(v); }

Membership group_of(std::initializer_list<const char*> ids, std::vector<Recovery> recoveries = {}) {
  Membership m;
  for (const char* id : ids) m.put({id, std::string("host:") + id, m.free_number(), true});
  m.recoveries = std::move(recoveries);
  return m;
}

struct Nowhere final : RecordBounds {
  std::optional<LogPosition> bound(LogPosition, std::int64_t) override { return std::nullopt; }
};

class RecoveryTest : public ::testing::Test {
 protected:
  // Its log: term 1 from 0, term 2 from 100, up to 200.
  Core core_of(const MemberId& self, const Membership& membership, HardState hard = {}) {
    InitialLog log;
    log.hard = std::move(hard);
    log.hard.term = Term(2);
    log.end = log.durable = at(200);
    log.committed = at(50);
    log.epochs = EpochTable({{Term(1), at(0), false}, {Term(2), at(100), false}});
    log.memberships.reset({{}, {}, membership});
    Options options;
    options.self = self;
    return {options, std::move(log), bounds_};
  }
  static void hears(Core& core, const MemberId& from, LogEnd log, LogEnd committed,
                    bool recovering = false) {
    core.step(
        {from, core.self(), Term(2), 1, 0, VoteAnswer{true, false, recovering, log, committed}});
    core.take_output();
  }
  static std::string refusal(const Core& core, const std::vector<MemberId>& survivors) {
    const auto may = core.may_recover(survivors);
    return may ? "" : may.error().message;
  }
  Nowhere bounds_;
};

// Of the bytes behind 100 it knows that they are committed; this member has others there, which a
// leader of a later term wrote and nobody committed.
TEST_F(RecoveryTest, WhoLacksWhatASurvivorKnowsToBeCommittedIsNotChosen) {
  Core core = core_of("1", group_of({"1", "2", "3", "4", "5"}));
  hears(core, "2", {Term(1), at(180)}, {Term(1), at(180)});
  EXPECT_THAT(refusal(core, {"2"}), HasSubstr("has committed up to term 1, end 180"));
  hears(core, "2", {Term(1), at(180)}, {Term(1), at(100)});
  EXPECT_EQ(refusal(core, {"2"}), "");
  hears(core, "2", {Term(2), at(200)}, {Term(2), at(200)});
  EXPECT_EQ(refusal(core, {"2"}), "");
}

TEST_F(RecoveryTest, ALongerLogOrALaterTermIsChosenInstead) {
  Core core = core_of("1", group_of({"1", "2", "3", "4", "5"}));
  hears(core, "2", {Term(2), at(201)}, {});
  EXPECT_THAT(refusal(core, {"2"}), HasSubstr("has a longer log"));
  hears(core, "2", {Term(3), at(10)}, {});
  EXPECT_THAT(refusal(core, {"2"}), HasSubstr("has a longer log"));
  hears(core, "2", {Term(1), at(900)}, {});
  EXPECT_EQ(refusal(core, {"2"}), "");
}

TEST_F(RecoveryTest, WhatAVoterSaidLongAgoDoesNotCount) {
  Core core = core_of("1", group_of({"1", "2", "3", "4", "5"}));
  core.set_passive(true);  // asks nobody
  hears(core, "2", {Term(2), at(150)}, {});
  EXPECT_THAT(refusal(core, {}), HasSubstr("was heard of a moment ago"));
  for (int i = 0; i < 41; ++i) core.tick();
  EXPECT_EQ(refusal(core, {}), "");
  EXPECT_THAT(refusal(core, {"2"}), HasSubstr("has not said yet"));
}

TEST_F(RecoveryTest, OnlyAVoterOfSeveralRecovers) {
  EXPECT_THAT(refusal(core_of("1", group_of({"1"})), {}), HasSubstr("only voter"));
  EXPECT_THAT(refusal(core_of("9", group_of({"1", "2", "3"})), {}), HasSubstr("no voter"));
  std::vector<Recovery> many(8, Recovery{"r", {}});
  EXPECT_THAT(refusal(core_of("1", group_of({"1", "2", "3"}, many)), {}), HasSubstr("8 times"));
}

TEST_F(RecoveryTest, TheNewGroupIsThisMemberAndRemembersTheOthers) {
  Membership before = group_of({"1", "2", "3"}, {{"r1", {"7"}}});
  before.put({"4", "host:4", 4, false});
  Core core = core_of("2", before);
  ASSERT_TRUE(core.recover({}, "r2"));
  const Output output = core.take_output();
  ASSERT_TRUE(output.save);
  EXPECT_EQ(output.save->recovered, core.membership());
  EXPECT_FALSE(output.save->given_up);
  EXPECT_EQ(output.save->voted_for, "2");
  EXPECT_GT(output.save->term, Term(1000));
  EXPECT_TRUE(output.start_term);
  ASSERT_EQ(core.membership().members.size(), 1U);
  EXPECT_EQ(core.membership().members[0], (Member{"2", "host:2", 2, true}));
  const std::vector<Recovery> recoveries{{"r1", {"7"}}, {"r2", {"1", "3", "4"}}};
  EXPECT_EQ(core.membership().recoveries, recoveries);
}

TEST_F(RecoveryTest, WhatIsSavedCountsOverTheMembershipsOfBefore) {
  HardState hard;
  hard.recovered = group_of({"2"}, {{"r1", {"1", "3"}}});
  const Core core = core_of("2", group_of({"1", "2", "3"}), hard);
  EXPECT_EQ(core.membership(), hard.recovered);
  const Membership later = group_of({"2", "5"}, hard.recovered.recoveries);
  EXPECT_EQ(core_of("2", later, hard).membership(), later) << "it knows the recovery";
}

TEST_F(RecoveryTest, OnlyWhoIsNamedIsGivenUp) {
  const Membership old = group_of({"1", "2", "3"});
  const Membership recovered = group_of({"3"}, {{"r1", {"1", "2"}}});
  Core stranger = core_of("9", group_of({"9"}));
  EXPECT_FALSE(stranger.give_up(recovered)) << "another group of the same name";
  Core of_new = core_of("3", recovered);
  EXPECT_FALSE(of_new.give_up(old));
  Core lost = core_of("1", old);
  EXPECT_TRUE(lost.give_up(recovered));
  EXPECT_FALSE(lost.give_up(recovered)) << "it is known";
  const Output output = lost.take_output();
  ASSERT_TRUE(output.save);
  EXPECT_TRUE(output.save->given_up);
  // It hears nobody and stands for nothing.
  lost.step({"2", "1", Term(9), 1, 0, VoteRequest{false, false, {Term(9), at(900)}, {}}});
  lost.campaign();
  for (int i = 0; i < 100; ++i) lost.tick();
  EXPECT_TRUE(lost.take_output().messages.empty());
  EXPECT_EQ(lost.term(), Term(2));
}

TEST(Recoveries, AreKeptInTheText) {
  const Membership m = group_of({"1", "4"}, {{"r1", {"2", "3"}}, {"r2", {}}});
  const auto back = Membership::decode(m.encode());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, m);
  const std::string one = "member=1 1 voter h:1\n";
  EXPECT_FALSE(Membership::decode(one + "recovery=\n"));
  EXPECT_FALSE(Membership::decode(one + "recovery= 2\n"));
  EXPECT_FALSE(Membership::decode(one + "recovery=r1  2\n"));
}

TEST(Recoveries, TellGroupsApart) {
  const Membership old = group_of({"1", "2", "3"});
  const Membership one = group_of({"3", "4"}, {{"a", {"1", "2"}}});
  const Membership two = group_of({"1"}, {{"b", {"2", "3"}}});
  const Membership later = group_of({"4"}, {{"a", {"1", "2"}}, {"c", {"3"}}});
  EXPECT_EQ(kinship(old, old), Kinship::kSame);
  EXPECT_EQ(kinship(old, one), Kinship::kNewer);
  EXPECT_EQ(kinship(later, one), Kinship::kOlder);
  EXPECT_EQ(kinship(one, two), Kinship::kParted);
  EXPECT_FALSE(may_talk(old, "1", one, "3"));
  EXPECT_FALSE(may_talk(one, "3", old, "1"));
  EXPECT_FALSE(may_talk(one, "3", two, "1"));
  // A member of the new one that has read no further than to the old membership.
  EXPECT_TRUE(may_talk(old, "4", one, "3"));
  EXPECT_TRUE(may_talk(one, "3", old, "4"));
}

}  // namespace
}  // namespace gantry::raft
