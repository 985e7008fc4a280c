// SPDX-License-Identifier: Apache-2.0
#include "raft/quorum.h"

#include <gtest/gtest.h>

namespace gantry::raft {
namespace {

LogPosition at(std::int64_t v) { return LogPosition(v); }

Membership voters(int count) {
  Membership m;
  for (int i = 1; i <= count; ++i) m.put({std::to_string(i), "h:1", i, true});
  return m;
}

constexpr Ballot kYes{true, false};
constexpr Ballot kNo{false, false};
constexpr Ballot kYesRecovering{true, true};
constexpr Ballot kNoRecovering{false, true};

TEST(QuorumPosition, IsWhatAMajorityHasReached) {
  EXPECT_EQ(quorum_position({at(10), at(30), at(20)}, 2), at(20));
  EXPECT_EQ(quorum_position({at(10), at(30), at(20), at(40)}, 3), at(20));
  EXPECT_EQ(quorum_position({at(7)}, 1), at(7));
}

TEST(QuorumPosition, IsNothingWithoutAMajority) {
  EXPECT_EQ(quorum_position({}, 1), at(0));
  EXPECT_EQ(quorum_position({at(10)}, 2), at(0));
  EXPECT_EQ(quorum_position({at(10)}, 0), at(0));
}

TEST(CountVotes, AMajorityWins) {
  EXPECT_EQ(count_votes(voters(1), {{"1", kYes}}, "1"), VoteResult::kWon);
  EXPECT_EQ(count_votes(voters(3), {{"1", kYes}}, "1"), VoteResult::kPending);
  EXPECT_EQ(count_votes(voters(3), {{"1", kYes}, {"3", kYes}}, "1"), VoteResult::kWon);
  EXPECT_EQ(count_votes(voters(4), {{"1", kYes}, {"3", kYes}}, "1"), VoteResult::kPending);
  EXPECT_EQ(count_votes(voters(5), {{"1", kYes}, {"2", kNo}, {"3", kYes}, {"4", kYes}}, "1"),
            VoteResult::kWon);
}

TEST(CountVotes, LostWhenAMajorityIsOutOfReach) {
  EXPECT_EQ(count_votes(voters(3), {{"1", kYes}, {"2", kNo}}, "1"), VoteResult::kPending);
  EXPECT_EQ(count_votes(voters(3), {{"1", kYes}, {"2", kNo}, {"3", kNo}}, "1"), VoteResult::kLost);
  EXPECT_EQ(count_votes(voters(4), {{"1", kYes}, {"2", kNo}, {"3", kNo}}, "1"), VoteResult::kLost);
}

TEST(CountVotes, OnlyVotersAreCounted) {
  Membership m = voters(3);
  m.put({"4", "h:1", 4, false});
  EXPECT_EQ(count_votes(m, {{"1", kYes}, {"4", kYes}, {"stranger", kYes}}, "1"),
            VoteResult::kPending);
}

TEST(CountVotes, ARecoveringVoterDoesNotMakeAMajority) {
  EXPECT_EQ(count_votes(voters(3), {{"1", kYes}, {"2", kYesRecovering}}, "1"),
            VoteResult::kPending);
  EXPECT_EQ(count_votes(voters(3), {{"1", kYes}, {"2", kYesRecovering}, {"3", kYes}}, "1"),
            VoteResult::kWon);
}

TEST(CountVotes, ACandidateThatIsNoVoterIsNotCounted) {
  std::map<MemberId, Ballot> ballots{{"9", kYes}, {"1", kYes}};
  EXPECT_EQ(count_votes(voters(3), ballots, "9"), VoteResult::kPending);
  ballots["2"] = kYes;
  EXPECT_EQ(count_votes(voters(3), ballots, "9"), VoteResult::kWon);
  ballots["9"] = kYesRecovering;
  EXPECT_EQ(count_votes(voters(3), ballots, "9"), VoteResult::kPending);
}

TEST(CountVotes, ARecoveringCandidateNeedsEveryVoter) {
  EXPECT_EQ(count_votes(voters(3), {{"1", kYesRecovering}, {"2", kYes}}, "1"),
            VoteResult::kPending);
  EXPECT_EQ(count_votes(voters(3), {{"1", kYesRecovering}, {"2", kYes}, {"3", kYes}}, "1"),
            VoteResult::kWon);
  // Two that have forgotten nothing do not carry a candidate of five that may have.
  EXPECT_EQ(
      count_votes(voters(5), {{"1", kYesRecovering}, {"2", kYes}, {"3", kYes}, {"4", kYes}}, "1"),
      VoteResult::kPending);
  EXPECT_EQ(count_votes(voters(1), {{"1", kYesRecovering}}, "1"), VoteResult::kWon);
}

TEST(CountVotes, AllRecoveringAllGranting) {
  std::map<MemberId, Ballot> ballots{{"1", kYesRecovering}, {"2", kYesRecovering}};
  EXPECT_EQ(count_votes(voters(3), ballots, "1"), VoteResult::kPending);
  ballots["3"] = kYesRecovering;
  EXPECT_EQ(count_votes(voters(3), ballots, "1"), VoteResult::kWon);
  ballots["3"] = kNoRecovering;
  EXPECT_NE(count_votes(voters(3), ballots, "1"), VoteResult::kWon);
}

}  // namespace
}  // namespace gantry::raft
