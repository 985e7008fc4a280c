// SPDX-License-Identifier: Apache-2.0
#include "raft/membership.h"

#include <gtest/gtest.h>

namespace gantry::raft {
namespace {

Member voter(std::string id, std::int32_t number) {
  return {std::move(id), "host:10912", number, true};
}
Member learner(std::string id, std::int32_t number) {
  return {std::move(id), "host:10912", number, false};
}
LogPosition at(std::int64_t v) { return LogPosition(v); }

TEST(Membership, CountsVotersOnly) {
  const Membership m{{voter("a", 1), voter("b", 2), learner("c", 3)}};
  EXPECT_EQ(m.voter_count(), 2U);
  EXPECT_EQ(m.quorum(), 2U);
  EXPECT_TRUE(m.is_voter("a"));
  EXPECT_FALSE(m.is_voter("c"));
  EXPECT_FALSE(m.is_voter("nobody"));
  EXPECT_EQ((Membership{{voter("a", 1)}}.quorum()), 1U);
  EXPECT_EQ((Membership{{voter("a", 1), voter("b", 2), voter("c", 3), voter("d", 4)}}.quorum()),
            3U);
}

TEST(Membership, PutReplacesAndOrdersByNumber) {
  Membership m;
  m.put(voter("b", 2));
  m.put(learner("a", 1));
  m.put(voter("a", 1));
  ASSERT_EQ(m.members.size(), 2U);
  EXPECT_EQ(m.members[0], voter("a", 1));
  m.remove("b");
  EXPECT_EQ(m.find("b"), nullptr);
}

TEST(Membership, TheFreeNumberIsTheSmallestUnused) {
  Membership m{{voter("a", 1), voter("c", 3)}};
  EXPECT_EQ(m.free_number(), 2);
  m.put(voter("b", 2));
  EXPECT_EQ(m.free_number(), 4);
}

TEST(Membership, EncodesAndDecodes) {
  const Membership m{{voter("a", 1), learner("b", 2)}};
  EXPECT_EQ(m.encode(), "member=a 1 voter host:10912\nmember=b 2 learner host:10912\n");
  const auto decoded = Membership::decode(m.encode());
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, m);
}

TEST(Membership, LinesOfANewerVersionAreSkipped) {
  const auto decoded = Membership::decode("weight=a 7\nmember=a 1 voter h:1\nlast line");
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->members.size(), 1U);
}

TEST(Membership, RefusesWhatIsNotAMembership) {
  for (const char* body : {
           "",                                            // no voter
           "member=a 1 learner h:1\n",                    // no voter
           "member=a 1 voter h:1\nmember=a 2 voter h:2",  // twice
           "member= 1 voter h:1",                         // no id
           "member=a x voter h:1",                        // no number
           "member=a 1x voter h:1",                       // half a number
           "member=a 0 voter h:1",                        // numbers begin at 1
           "member=a -1 voter h:1",
           "member=a 99999999999 voter h:1",
           "member=a 1 king h:1",  // no such role
           "member=a 1",
       }) {
    const auto decoded = Membership::decode(body);
    ASSERT_FALSE(decoded) << body;
    EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt) << body;
  }
}

TEST(CheckChange, OneVoterAtATime) {
  const Membership abc{{voter("a", 1), voter("b", 2), voter("c", 3)}};
  Membership next = abc;
  next.put(learner("d", 4));
  next.put(learner("e", 5));
  EXPECT_TRUE(check_change(abc, next)) << "learners are not counted";
  next.put(voter("d", 4));
  EXPECT_TRUE(check_change(abc, next));
  next.put(voter("e", 5));
  EXPECT_FALSE(check_change(abc, next)) << "two voters more";
  next = abc;
  next.remove("b");
  EXPECT_TRUE(check_change(abc, next));
  next.put(voter("x", 2));
  EXPECT_FALSE(check_change(abc, next)) << "one out and one in";
  next = abc;
  next.put(learner("b", 2));
  EXPECT_TRUE(check_change(abc, next)) << "a voter becomes a learner";
  const Membership alone{{voter("a", 1)}};
  Membership nobody = alone;
  nobody.put(learner("a", 1));
  const auto refused = check_change(alone, nobody);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
}

MembershipLog::Entry entry(std::int64_t start, std::vector<Member> members) {
  return {at(start), at(start + 10), Membership{std::move(members)}};
}

TEST(MembershipLog, TheNewestCountsCommittedOrNot) {
  MembershipLog log;
  log.reset({at(0), at(0), Membership{{voter("a", 1)}}});
  EXPECT_FALSE(log.pending(at(0)));
  log.add(entry(100, {voter("a", 1), voter("b", 2)}));
  EXPECT_EQ(log.current().voter_count(), 2U);
  EXPECT_TRUE(log.pending(at(109)));
  EXPECT_FALSE(log.pending(at(110)));
}

TEST(MembershipLog, ACutBringsTheOlderOneBack) {
  MembershipLog log;
  log.reset({at(0), at(0), Membership{{voter("a", 1)}}});
  log.add(entry(100, {voter("a", 1), voter("b", 2)}));
  log.add(entry(200, {voter("a", 1), voter("b", 2), voter("c", 3)}));
  log.cut(at(201));
  EXPECT_EQ(log.current().voter_count(), 3U);
  log.cut(at(200));
  EXPECT_EQ(log.current().voter_count(), 2U);
  log.cut(at(0));
  EXPECT_EQ(log.current().voter_count(), 1U) << "the base stays";
}

TEST(MembershipLog, CommitForgetsWhatIsSuperseded) {
  MembershipLog log;
  log.reset({at(0), at(0), Membership{{voter("a", 1)}}});
  log.add(entry(100, {voter("a", 1), voter("b", 2)}));
  log.add(entry(200, {voter("a", 1), voter("b", 2), voter("c", 3)}));
  log.commit(at(209));
  EXPECT_EQ(log.all().size(), 2U);
  EXPECT_EQ(log.all().front().start, at(100));
  log.commit(at(210));
  EXPECT_EQ(log.all().size(), 1U);
}

TEST(MembershipLog, StartingInLeavesOutABaseThatIsNoRecord) {
  MembershipLog log;
  log.reset({at(0), at(0), Membership{{voter("a", 1)}}});
  log.add(entry(100, {voter("a", 1), voter("b", 2)}));
  EXPECT_EQ(log.starting_in(at(0), at(100)).size(), 0U);
  EXPECT_EQ(log.starting_in(at(0), at(101)).size(), 1U);
  EXPECT_EQ(log.starting_in(at(101), at(300)).size(), 0U);
}

}  // namespace
}  // namespace gantry::raft
