// SPDX-License-Identifier: Apache-2.0
#include "sidecar/trouble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/not_ready.h"

namespace gantry::sidecar {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ReadinessAnswer fails(std::string_view reason, std::string message = "it says why") {
  return {.failed = {{.name = "check", .reason = std::string(reason), .message = message}}};
}

TEST(Trouble, says_what_and_what_to_do) {
  const auto trouble =
      trouble_of(fails(reason::kNameServerUnresolvable, "n.invalid:1 (cannot resolve the name)"));
  ASSERT_TRUE(trouble);
  EXPECT_EQ(trouble->reason, "NameServerUnresolvable");
  EXPECT_THAT(trouble->message, StartsWith("The broker is not ready: n.invalid:1 (cannot resolve "
                                           "the name). Correct namesrv.addresses"));
  for (const std::string_view own :
       {reason::kNameServerUnreachable, reason::kNameServerRefused, reason::kBrokerSetNotFormed,
        reason::kNoLeader, reason::kGivenUp, reason::kEventLoopHangs}) {
    const auto known = trouble_of(fails(own));
    ASSERT_TRUE(known) << own;
    EXPECT_EQ(known->reason, own);
    EXPECT_THAT(known->message, HasSubstr("it says why. "));
  }
}

TEST(Trouble, is_not_what_passes_or_is_wanted) {
  for (const std::string_view passing :
       {reason::kStarting, reason::kStopping, reason::kInMaintenance, reason::kCatchingUp,
        reason::kRegistrationPending}) {
    EXPECT_FALSE(trouble_of(fails(passing))) << passing;
  }
  EXPECT_FALSE(trouble_of({.ready = true}));
  EXPECT_FALSE(trouble_of({})) << "nothing is known";
}

TEST(Trouble, without_a_known_reason_is_still_told) {
  for (const char* unknown : {"", "OfANewerBroker"}) {
    const auto trouble = trouble_of(fails(unknown));
    ASSERT_TRUE(trouble);
    EXPECT_EQ(trouble->reason, "BrokerNotReady");
    EXPECT_THAT(trouble->message, HasSubstr("it says why. See the log of the broker"));
  }
}

TEST(Trouble, is_the_first_check_that_needs_somebody) {
  ReadinessAnswer answer = fails(reason::kCatchingUp);
  answer.failed.push_back({.reason = std::string(reason::kNameServerRefused)});
  answer.failed.push_back({.reason = std::string(reason::kNoLeader)});
  EXPECT_EQ(trouble_of(answer)->reason, "NameServerRefused");
}

TEST(Trouble, keeps_the_advice_whatever_the_broker_says) {
  const auto trouble = trouble_of(fails(reason::kNoLeader, std::string(699, 'a') + "ä" + "rest"));
  EXPECT_THAT(trouble->message, HasSubstr(std::string(699, 'a') + "…. A leader needs"));
  EXPECT_THAT(trouble->message, EndsWith("what is left and how to go on."));
  EXPECT_LE(trouble->message.size(), 1024U);
}

}  // namespace
}  // namespace gantry::sidecar
