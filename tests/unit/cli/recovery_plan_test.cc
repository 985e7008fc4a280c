// SPDX-License-Identifier: Apache-2.0
// Which member of a broken broker set goes on, as the command line proposes it.
#include "cli/recovery_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string uuid(int number) { return std::string(32, static_cast<char>('0' + number)); }

SetView set_of(int voters) {
  SetView view;
  view.broker_name = "broker-a";
  for (int i = 1; i <= voters; ++i) {
    SetMember member;
    member.uuid = uuid(i);
    member.number = i;
    member.voter = true;
    member.address = "broker-" + std::to_string(i) + ":10912";
    view.members.push_back(std::move(member));
  }
  return view;
}

// Epochs: term 1 from 0, and its last term from `start` on.
MemberReport report(int number, std::int64_t last_term, std::int64_t start, std::int64_t end,
                    std::int64_t committed, int voters = 5) {
  MemberReport made;
  made.uuid = uuid(number);
  made.http_address = "broker-" + std::to_string(number) + ":5557";
  made.last_term = last_term;
  made.end = end;
  made.committed = committed;
  made.epochs = {{1, 0}, {last_term, start}};
  made.view = set_of(voters);
  return made;
}

std::string refusal(const std::vector<MemberReport>& reports) {
  const auto plan = plan_recovery(reports);
  return plan ? "" : plan.error().message;
}

TEST(RecoveryPlan, TheLaterTermThenTheLongerLogGoesOn) {
  EXPECT_EQ(plan_recovery({report(1, 1, 0, 900, 0), report(2, 2, 100, 200, 0)})->chosen, uuid(2));
  EXPECT_EQ(plan_recovery({report(1, 2, 100, 300, 0), report(2, 2, 100, 200, 0)})->chosen, uuid(1));
}

TEST(RecoveryPlan, WhoLacksWhatIsKnownToBeCommittedDoesNot) {
  // 2 has other bytes from 100 on than those that 1 knows to be committed.
  const auto plan = plan_recovery({report(1, 1, 0, 180, 180), report(2, 2, 100, 300, 50)});
  EXPECT_EQ(plan->chosen, uuid(1));
}

TEST(RecoveryPlan, NamesWhoSurvivesAndWhoIsGivenUp) {
  const auto plan = plan_recovery({report(2, 2, 100, 200, 0), report(4, 1, 0, 100, 0)});
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->survivors(), ElementsAre(uuid(4)));
  EXPECT_THAT(plan->given_up(), ElementsAre(uuid(1), uuid(3), uuid(5)));
  EXPECT_EQ(plan->of_chosen().http_address, "broker-2:5557");
}

TEST(RecoveryPlan, IsRefusedWhenTheyCanHelpThemselves) {
  EXPECT_THAT(refusal({report(1, 1, 0, 9, 0, 3), report(2, 1, 0, 9, 0, 3)}),
              HasSubstr("2 of the 3 voters of broker-a answer"));
  MemberReport follows = report(1, 1, 0, 9, 0);
  follows.leader = uuid(3);
  EXPECT_THAT(refusal({follows}), HasSubstr("leads broker-a: nothing is to be recovered"));
  EXPECT_THAT(refusal({}), HasSubstr("no voter of the broker set answers"));
}

TEST(RecoveryPlan, WhoMayHaveForgottenNeedsAllOfThem) {
  MemberReport one = report(1, 1, 0, 9, 0, 3);
  one.recovering = true;
  const MemberReport two = report(2, 1, 0, 8, 0, 3);
  const auto plan = plan_recovery({one, two});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->chosen, uuid(1));
  EXPECT_THAT(plan->given_up(), ElementsAre(uuid(3)));
  MemberReport three = report(3, 1, 0, 9, 0, 3);
  three.recovering = true;
  EXPECT_THAT(refusal({one, two, three}), HasSubstr("3 of the 3 voters"));
}

TEST(RecoveryPlan, MembersOfDifferentSetsAreNotMixed) {
  MemberReport other = report(2, 1, 0, 9, 0);
  other.view.broker_name = "broker-b";
  EXPECT_THAT(refusal({report(1, 1, 0, 9, 0), other}), HasSubstr("of broker-b"));
  MemberReport recovered = report(2, 1, 0, 9, 0);
  recovered.recoveries = {"r1"};
  EXPECT_THAT(refusal({report(1, 1, 0, 9, 0), recovered}), HasSubstr("it was recovered"));
  MemberReport given_up = report(2, 7, 0, 9, 0);
  given_up.given_up = true;
  EXPECT_EQ(plan_recovery({report(1, 1, 0, 9, 0), given_up})->chosen, uuid(1));
}

TEST(RecoveryPlan, AnAnswerThatIsNotUnderstoodIsNamed) {
  const auto made = parse_report("{}", set_of(3), "broker-1:5557");
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("the answer of broker-1:5557 to /v1/raft"));
}

}  // namespace
}  // namespace gantry::cli
