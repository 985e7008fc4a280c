// SPDX-License-Identifier: Apache-2.0
#include "sidecar/label_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_pods.h"

namespace gantry::sidecar {
namespace {

using test::kLabel;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LabelKeeperTest : public ::testing::Test {
 protected:
  LabelKeeper keeper(std::string uid = {}) {
    return {kube::Pods(client, "shop"), {.name = "b-0", .uid = std::move(uid)}, kLabel};
  }
  kube::test::FakeApi api;
  test::FakePods pods{api};
  kube::ApiClient client{api.account(), {.retry = {.attempts_max = 1}}};
};

TEST_F(LabelKeeperTest, SetsAndRemovesTheLabelAndChangesNothingElse) {
  pods.put("b-0", "u1", {{"app", "shop"}});
  LabelKeeper made = keeper();
  Step step = made.step(true, false);
  EXPECT_EQ(step.result, StepResult::kInStep);
  EXPECT_EQ(step.changed, true);
  EXPECT_EQ(pods.label("b-0"), "true");
  step = made.step(false, false);
  EXPECT_EQ(step.result, StepResult::kInStep);
  EXPECT_EQ(step.changed, false);
  EXPECT_EQ(pods.label("b-0"), std::nullopt);
  EXPECT_EQ(pods.label("b-0", "app"), "shop");
  EXPECT_THAT(pods.requests(), ElementsAre("GET b-0", "PATCH b-0", "PATCH b-0"));
}

TEST_F(LabelKeeperTest, WhatIsInStepCostsNothing) {
  pods.put("b-0", "u1", {{kLabel, "true"}});
  LabelKeeper made = keeper();
  for (int i = 0; i < 3; ++i) {
    const Step step = made.step(true, false);
    EXPECT_EQ(step.result, StepResult::kInStep);
    EXPECT_EQ(step.changed, std::nullopt);
  }
  EXPECT_THAT(pods.requests(), ElementsAre("GET b-0"));
}

TEST_F(LabelKeeperTest, AnotherValueIsNotTheLabel) {
  pods.put("b-0", "u1", {{kLabel, "false"}});
  LabelKeeper made = keeper();
  EXPECT_EQ(made.step(true, false).changed, true);
  EXPECT_EQ(pods.label("b-0"), "true");
  pods.put("b-0", "u1", {{kLabel, "maybe"}});
  EXPECT_EQ(made.step(false, true).changed, false);
  EXPECT_EQ(pods.label("b-0"), std::nullopt);
}

TEST_F(LabelKeeperTest, NothingIsChangedWhileTheBrokerIsNotKnown) {
  pods.put("b-0", "u1", {{kLabel, "true"}});
  LabelKeeper made = keeper();
  const Step step = made.step(std::nullopt, false);
  EXPECT_EQ(step.result, StepResult::kUnknown);
  EXPECT_EQ(pods.label("b-0"), "true");
  EXPECT_EQ(made.uid(), "u1");
}

TEST_F(LabelKeeperTest, ALookFindsWhatSomebodyElseHasChanged) {
  pods.put("b-0", "u1");
  LabelKeeper made = keeper();
  made.step(true, false);
  pods.put("b-0", "u1");
  EXPECT_EQ(made.step(true, false).changed, std::nullopt) << "it does not know";
  EXPECT_EQ(made.step(true, true).changed, true);
  EXPECT_EQ(pods.label("b-0"), "true");
}

TEST_F(LabelKeeperTest, APodThatTookTheNameIsLeftAlone) {
  pods.put("b-0", "u1");
  LabelKeeper made = keeper();
  made.step(false, false);
  pods.put("b-0", "u2");
  const Step refused = made.step(true, false);
  EXPECT_EQ(refused.result, StepResult::kFailed);
  ASSERT_TRUE(refused.error);
  EXPECT_TRUE(refused.error->is_conflict());
  const Step lost = made.step(true, false);
  EXPECT_EQ(lost.result, StepResult::kLost);
  EXPECT_THAT(lost.obstacle, HasSubstr("another pod now, uid u2 instead of u1"));
  EXPECT_EQ(pods.label("b-0"), std::nullopt);
  EXPECT_THAT(pods.requests(), ElementsAre("GET b-0", "PATCH b-0", "GET b-0"));
}

TEST_F(LabelKeeperTest, AUidThatIsGivenIsNotLearned) {
  pods.put("b-0", "u2");
  LabelKeeper made = keeper("u1");
  EXPECT_EQ(made.step(true, false).result, StepResult::kLost);
  EXPECT_EQ(pods.label("b-0"), std::nullopt);
}

TEST_F(LabelKeeperTest, APodThatIsGoneIsLost) {
  LabelKeeper made = keeper();
  EXPECT_EQ(made.step(true, false).result, StepResult::kLost);
  pods.put("b-0", "u1");
  EXPECT_EQ(made.step(true, false).result, StepResult::kInStep);
  pods.remove("b-0");
  EXPECT_EQ(made.step(false, false).result, StepResult::kLost);
  EXPECT_FALSE(made.pod());
}

TEST_F(LabelKeeperTest, AFailureLeavesTheChangeToBeMade) {
  pods.put("b-0", "u1");
  LabelKeeper made = keeper();
  made.step(false, false);
  pods.refuse(403);
  const Step step = made.step(true, false);
  EXPECT_EQ(step.result, StepResult::kFailed);
  EXPECT_THAT(step.obstacle, HasSubstr("PATCH /api/v1/namespaces/shop/pods/b-0: 403"));
  pods.refuse(0);
  EXPECT_EQ(made.step(true, false).changed, true);
}

TEST_F(LabelKeeperTest, KnowsThatThePodIsBeingDeleted) {
  pods.put("b-0", "u1");
  LabelKeeper made = keeper();
  made.step(true, true);
  ASSERT_TRUE(made.pod());
  EXPECT_FALSE(made.pod()->deleting);
  pods.begin_deletion("b-0");
  made.step(true, true);
  EXPECT_TRUE(made.pod()->deleting);
}

}  // namespace
}  // namespace gantry::sidecar
