// SPDX-License-Identifier: Apache-2.0
#include "raft/epoch_table.h"

#include <gtest/gtest.h>

namespace gantry::raft {
namespace {

LogPosition at(std::int64_t v) { return LogPosition(v); }
Epoch epoch(std::int64_t term, std::int64_t start) { return {Term(term), LogPosition(start)}; }

EpochTable table(std::vector<Epoch> epochs) { return EpochTable(std::move(epochs)); }

TEST(EpochTable, FindsTheEpochThatHoldsAByte) {
  const EpochTable t = table({epoch(1, 0), epoch(3, 100)});
  EXPECT_EQ(t.find(at(0))->term, Term(1));
  EXPECT_EQ(t.find(at(99))->term, Term(1));
  EXPECT_EQ(t.find(at(100))->term, Term(3));
  EXPECT_EQ(t.find(at(1'000'000))->term, Term(3));
  EXPECT_EQ(table({epoch(1, 50)}).find(at(49)), nullptr);
}

TEST(EpochTable, TermBeforeIsThatOfThePrecedingByte) {
  const EpochTable t = table({epoch(1, 0), epoch(3, 100)});
  EXPECT_EQ(t.term_before(at(0)), Term(0));
  EXPECT_EQ(t.term_before(at(1)), Term(1));
  EXPECT_EQ(t.term_before(at(100)), Term(1));
  EXPECT_EQ(t.term_before(at(101)), Term(3));
}

TEST(EpochTable, AnEpochAtTheSameStartReplacesTheEmptyOne) {
  EpochTable t = table({epoch(1, 0), epoch(2, 100)});
  t.add(epoch(3, 100));
  ASSERT_EQ(t.all().size(), 2U);
  EXPECT_EQ(t.all()[1], epoch(3, 100));
}

TEST(EpochTable, CutDropsWhatStartsAtOrBehindIt) {
  EpochTable t = table({epoch(1, 0), epoch(2, 100), epoch(3, 200)});
  t.cut(at(200));
  EXPECT_EQ(t.last_term(), Term(2));
  t.cut(at(101));
  EXPECT_EQ(t.last_term(), Term(2));
  t.cut(at(100));
  EXPECT_EQ(t.last_term(), Term(1));
  t.cut(at(0));
  EXPECT_EQ(t.last_term(), Term(0));
}

TEST(EpochTable, TrimKeepsTheEpochOfTheByteBefore) {
  EpochTable t = table({epoch(1, 0), epoch(2, 100), epoch(3, 200)});
  t.trim(at(150));
  ASSERT_EQ(t.all().size(), 2U);
  EXPECT_EQ(t.all()[0], epoch(2, 100));
  t.trim(at(200));
  EXPECT_EQ(t.term_before(at(200)), Term(2)) << "a follower's log may end there";
  t.trim(at(201));
  EXPECT_EQ(t.all().size(), 1U);
}

TEST(EpochTable, ApacheIsWhatTheEpochSaysAndEverythingBeforeTheFirst) {
  EpochTable t;
  EXPECT_TRUE(t.apache_at(at(0)));
  t.add({Term(0), at(0), true});
  t.add(epoch(1, 100));
  EXPECT_TRUE(t.apache_at(at(99)));
  EXPECT_FALSE(t.apache_at(at(100)));
}

TEST(EpochTable, StartingInIsHalfOpen) {
  const EpochTable t = table({epoch(1, 0), epoch(2, 100), epoch(3, 200)});
  EXPECT_EQ(t.starting_in(at(100), at(200)), std::vector<Epoch>{epoch(2, 100)});
  EXPECT_EQ(t.starting_in(at(101), at(200)), std::vector<Epoch>{});
}

TEST(CommonEnd, EqualTablesAreEqualUpToTheShorterLog) {
  const std::vector<Epoch> a{epoch(1, 0), epoch(2, 100)};
  EXPECT_EQ(common_end(a, at(500), a, at(300), at(0)), at(300));
  EXPECT_EQ(common_end(a, at(300), a, at(500), at(0)), at(300));
}

TEST(CommonEnd, ANewerEpochOnOneSideEndsTheCommonPart) {
  const std::vector<Epoch> leader{epoch(1, 0), epoch(3, 200)};
  const std::vector<Epoch> follower{epoch(1, 0), epoch(2, 150)};
  EXPECT_EQ(common_end(leader, at(400), follower, at(600), at(0)), at(150));
  EXPECT_EQ(common_end(follower, at(600), leader, at(400), at(0)), at(150));
}

TEST(CommonEnd, EqualTermsWithDifferentStartsAreNotTheSameEpoch) {
  const std::vector<Epoch> leader{epoch(1, 0), epoch(3, 200)};
  const std::vector<Epoch> follower{epoch(1, 0), epoch(3, 150)};
  EXPECT_EQ(common_end(leader, at(400), follower, at(600), at(0)), at(150));
}

TEST(CommonEnd, WithoutACommonEpochTheFallbackCounts) {
  const std::vector<Epoch> leader{epoch(5, 1000)};
  const std::vector<Epoch> follower{epoch(2, 100)};
  EXPECT_EQ(common_end(leader, at(2000), follower, at(600), at(77)), at(77));
  EXPECT_EQ(common_end(leader, at(2000), {}, at(0), at(0)), at(0));
}

TEST(CommonEnd, TheOlderEpochsOfTheRefusalNeedNotBeKnown) {
  const std::vector<Epoch> leader{epoch(1, 0), epoch(2, 100), epoch(3, 200)};
  const std::vector<Epoch> follower{epoch(2, 100)};  // the newest ones only
  EXPECT_EQ(common_end(leader, at(400), follower, at(350), at(0)), at(200));
}

}  // namespace
}  // namespace gantry::raft
