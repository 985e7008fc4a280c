// SPDX-License-Identifier: Apache-2.0
#include "broker/group/state_comparison.h"

#include <gtest/gtest.h>

#include <future>
#include <optional>

#include "state/commands.h"
#include "tests/support/log_lines.h"
#include "tests/unit/broker/group_rig.h"

namespace gantry::broker::test {
namespace {

constexpr auto kDiffers = "the replicated state of this member differs from the leader's";

// A member that applies what a leader with another state, or the same one, has put into the log.
class StateComparisonTest : public ::testing::Test {
 protected:
  StateComparisonTest() {
    rig_.start_alone();
    rig_.run([this] { comparison_.emplace(rig_.context()); });
    committed([this](state::Proposals::Done done) {
      rig_.storage().proposals().set_feature_level(state::kSupportedFeatureLevel, std::move(done));
    });
  }
  ~StateComparisonTest() override {
    rig_.run([this] { comparison_.reset(); });
  }

  void committed(const std::function<void(state::Proposals::Done)>& propose) {
    std::promise<Result<void>> done;
    rig_.run([&] { propose([&](Result<void> result) { done.set_value(std::move(result)); }); });
    const Result<void> result = done.get_future().get();
    ASSERT_TRUE(result) << result.error().message;
  }
  void compare() {
    committed([this](state::Proposals::Done done) {
      rig_.storage().proposals().compare_state(std::move(done));
    });
  }
  // A leader says that its digest as of the last comparison was this member's, changed so.
  void leader_says(std::uint64_t difference, std::int64_t position_difference = 0) {
    committed([&](state::Proposals::Done done) {
      state::StateDigest last = rig_.storage().state().last_digest();
      own_ = last;
      last.digest ^= difference;
      last.position += position_difference;
      rig_.storage().log().append_command(state::compare_state_command({}, last).body,
                                          std::move(done));
    });
  }
  void expect(std::uint64_t comparisons, std::uint64_t differences) {
    rig_.run([&] {
      EXPECT_EQ(comparison_->comparisons(), comparisons);
      EXPECT_EQ(comparison_->differences(), differences);
    });
    EXPECT_EQ(log_.count(kDiffers), static_cast<std::ptrdiff_t>(differences)) << log_.text();
  }

  gantry::testing::LogLines log_;
  GroupRig rig_;
  std::optional<StateComparison> comparison_;  // shard only
  state::StateDigest own_;
};

TEST_F(StateComparisonTest, EqualStatesAreCountedOnly) {
  compare();
  expect(0, 0);  // there was nothing to compare with
  compare();
  leader_says(0);
  expect(2, 0);
}

TEST_F(StateComparisonTest, ADifferenceIsCountedAndLoggedAsAnError) {
  const std::int64_t errors = log::error_count();
  compare();
  leader_says(1);
  expect(1, 1);
  EXPECT_EQ(log::error_count(), errors + 1);
  EXPECT_EQ(log_.count(fmt::format("error group: {} at position {} of the log (digest {:016x}, the "
                                   "leader's {:016x}): remove this member",
                                   kDiffers, own_.position.v, own_.digest, own_.digest ^ 1)),
            1)
      << log_.text();
}

TEST_F(StateComparisonTest, TheMemberGoesOnAfterADifference) {
  compare();
  leader_says(1);
  leader_says(0);
  leader_says(1U << 31);
  expect(3, 2);
}

TEST_F(StateComparisonTest, DigestsOfOtherPositionsAreNotCompared) {
  compare();
  leader_says(1, 1);
  expect(0, 0);
}

}  // namespace
}  // namespace gantry::broker::test
