// SPDX-License-Identifier: Apache-2.0
#include "sidecar/broker_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_broker.h"

namespace gantry::sidecar {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(LeadershipAnswer, is_read_from_the_body) {
  const auto leads = parse_leadership(R"({"leading":true,"term":7,"state":"s"})");
  EXPECT_EQ(leads.seen, Seen::kLeads);
  EXPECT_EQ(leads.state, "s");
  EXPECT_EQ(parse_leadership(R"({"leading":false})").seen, Seen::kFollows);
  for (const char* bad : {"", "{", "[]", "{}", R"({"leading":1})", R"({"leading":"true"})"}) {
    EXPECT_EQ(parse_leadership(bad).seen, Seen::kSilent) << bad;
    EXPECT_EQ(parse_maintenance(bad).seen, Seen::kSilent) << bad;
    EXPECT_THAT(parse_leadership(bad).detail, HasSubstr("leading"));
  }
}

TEST(BrokerClient, tells_a_broker_that_is_gone_from_a_silent_one) {
  test::FakeBroker broker;
  const BrokerClient client(broker.host_port());
  EXPECT_EQ(client.leadership({}, 0ms, 5s).seen, Seen::kFollows);
  broker.answer_all_with(503);
  const auto refused = client.leadership({}, 0ms, 5s);
  EXPECT_EQ(refused.seen, Seen::kSilent);
  EXPECT_EQ(refused.detail, "the broker answers 503 (not now)");
  broker.hang();
  EXPECT_EQ(client.leadership({}, 0ms, 50ms).seen, Seen::kSilent);
  broker.stop();
  EXPECT_EQ(client.leadership({}, 0ms, 5s).seen, Seen::kGone);
}

TEST(BrokerClient, counts_voters) {
  test::FakeBroker broker;
  broker.voters = 5;
  const auto voters = BrokerClient(broker.host_port()).voters(5s);
  ASSERT_TRUE(voters) << voters.error().message;
  EXPECT_EQ(*voters, 5);
}

}  // namespace
}  // namespace gantry::sidecar
