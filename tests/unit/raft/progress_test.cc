// SPDX-License-Identifier: Apache-2.0
#include "raft/progress.h"

#include <gtest/gtest.h>

namespace gantry::raft {
namespace {

LogPosition at(std::int64_t v) { return LogPosition(v); }
constexpr std::size_t kCount = 3;
constexpr std::int64_t kBytes = 1000;

Progress replicating(std::int64_t from) {
  Progress p(at(from));
  p.sent(at(from));
  p.acknowledged(at(from), at(from), at(from));
  return p;
}

TEST(Progress, ProbesWithOneAppendAtATime) {
  Progress p(at(100));
  EXPECT_TRUE(p.may_send(kCount, kBytes));
  p.sent(at(200));
  EXPECT_FALSE(p.may_send(kCount, kBytes));
  EXPECT_EQ(p.next(), at(100)) << "a probe is repeated from where it was";
  p.release_probe();
  EXPECT_TRUE(p.may_send(kCount, kBytes));
}

TEST(Progress, AnAnswerBehindTheProbeDoesNotEndIt) {
  Progress p(at(100));
  p.sent(at(200));
  EXPECT_TRUE(p.acknowledged(at(50), at(50), at(0)));
  EXPECT_EQ(p.state(), Progress::State::kProbe);
  EXPECT_TRUE(p.acknowledged(at(200), at(100), at(0)));
  EXPECT_EQ(p.state(), Progress::State::kReplicate);
  EXPECT_EQ(p.next(), at(200));
}

TEST(Progress, PositionsOnlyGrow) {
  Progress p = replicating(100);
  p.sent(at(300));
  EXPECT_TRUE(p.acknowledged(at(300), at(200), at(150)));
  EXPECT_FALSE(p.acknowledged(at(200), at(150), at(100)));
  EXPECT_EQ(p.matched(), at(300));
  EXPECT_EQ(p.written(), at(200));
  EXPECT_EQ(p.durable(), at(150));
}

TEST(Progress, TheWindowIsCountedInAppends) {
  Progress p = replicating(0);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(p.may_send(kCount, kBytes)) << i;
    p.sent(at(i));
  }
  EXPECT_FALSE(p.may_send(kCount, kBytes));
  p.acknowledged(at(3), at(0), at(0));
  EXPECT_FALSE(p.may_send(kCount, kBytes)) << "in memory is not enough: the disk sets the pace";
  p.acknowledged(at(3), at(1), at(0));
  EXPECT_TRUE(p.may_send(kCount, kBytes));
}

TEST(Progress, TheWindowIsCountedInBytes) {
  Progress p = replicating(0);
  p.sent(at(999));
  EXPECT_TRUE(p.may_send(kCount, kBytes)) << "one append may go over";
  p.sent(at(1500));
  EXPECT_FALSE(p.may_send(kCount, kBytes));
  p.acknowledged(at(1500), at(501), at(0));
  EXPECT_TRUE(p.may_send(kCount, kBytes));
}

TEST(Progress, NothingIsSentWhileASnapshotIsOnItsWay) {
  Progress p(at(0));
  p.snapshot();
  EXPECT_FALSE(p.may_send(kCount, kBytes));
  p.probe(at(500));
  EXPECT_TRUE(p.may_send(kCount, kBytes));
}

TEST(Progress, SilenceIsCountedOnlyWhileSomethingIsOnItsWay) {
  Progress p = replicating(0);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(p.unanswered(3));
  p.sent(at(10));
  EXPECT_FALSE(p.unanswered(3));
  EXPECT_FALSE(p.unanswered(3));
  EXPECT_TRUE(p.unanswered(3));
  p.acknowledged(at(10), at(5), at(0));
  EXPECT_FALSE(p.unanswered(3)) << "an answer with news starts the count again";
}

TEST(Progress, ASnapshotMayTakeTenTimesAsLong) {
  Progress p(at(0));
  p.snapshot();
  for (int i = 1; i < 30; ++i) EXPECT_FALSE(p.unanswered(3)) << i;
  EXPECT_TRUE(p.unanswered(3));
}

TEST(Progress, ResendBeginsBehindWhatMatches) {
  Progress p = replicating(100);
  p.sent(at(200));
  p.sent(at(300));
  p.acknowledged(at(200), at(200), at(0));
  p.resend();
  EXPECT_EQ(p.state(), Progress::State::kProbe);
  EXPECT_EQ(p.next(), at(200));
  EXPECT_TRUE(p.may_send(kCount, kBytes));
}

TEST(Progress, AnotherStartOfTheMemberMeansNothingIsKnown) {
  Progress p = replicating(100);
  p.forget();
  EXPECT_EQ(p.matched(), at(0));
  EXPECT_EQ(p.written(), at(0));
  EXPECT_EQ(p.durable(), at(0));
  EXPECT_EQ(p.state(), Progress::State::kProbe);
}

}  // namespace
}  // namespace gantry::raft
