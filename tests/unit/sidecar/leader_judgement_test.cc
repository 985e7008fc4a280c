// SPDX-License-Identifier: Apache-2.0
#include "sidecar/leader_judgement.h"

#include <gtest/gtest.h>

namespace gantry::sidecar {
namespace {

constexpr std::int64_t kSilenceMax = 3000;

TEST(LeaderJudgement, is_unknown_until_the_broker_answers_or_patience_ends) {
  LeaderJudgement judgement(kSilenceMax, 100);
  EXPECT_EQ(judgement.leads(100), std::nullopt);
  judgement.note(Seen::kSilent, 200);
  EXPECT_EQ(judgement.leads(3099), std::nullopt);
  EXPECT_EQ(judgement.leads(3100), false);
}

TEST(LeaderJudgement, an_answer_counts_at_once) {
  LeaderJudgement judgement(kSilenceMax, 0);
  judgement.note(Seen::kLeads, 1);
  EXPECT_EQ(judgement.leads(1), true);
  judgement.note(Seen::kFollows, 2);
  EXPECT_EQ(judgement.leads(2), false);
  judgement.note(Seen::kLeads, 3);
  judgement.note(Seen::kGone, 4);
  EXPECT_EQ(judgement.leads(4), false) << "a process that is not there leads nothing";
}

TEST(LeaderJudgement, silence_counts_when_it_has_lasted) {
  LeaderJudgement judgement(kSilenceMax, 0);
  judgement.note(Seen::kLeads, 1000);
  judgement.note(Seen::kSilent, 3000);
  EXPECT_EQ(judgement.leads(3999), true);
  EXPECT_EQ(judgement.patience_us(3999), 1);
  EXPECT_EQ(judgement.leads(4000), false);
  judgement.note(Seen::kSilent, 4001);
  EXPECT_EQ(judgement.leads(4001), false);
  judgement.note(Seen::kLeads, 5000);
  EXPECT_EQ(judgement.leads(5000), true);
}

}  // namespace
}  // namespace gantry::sidecar
