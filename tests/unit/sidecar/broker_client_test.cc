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

TEST(BrokerClient, reads_why_the_broker_is_not_ready) {
  test::FakeBroker broker;
  const BrokerClient client(broker.host_port());
  EXPECT_TRUE(client.readiness(5s).ready);
  broker.is_not_ready("NoLeader", "there is none");
  const ReadinessAnswer unready = client.readiness(5s);
  EXPECT_FALSE(unready.ready);
  ASSERT_EQ(unready.failed.size(), 1U);
  EXPECT_EQ(unready.failed[0].name, "namesrv");
  EXPECT_EQ(unready.failed[0].reason, "NoLeader");
  EXPECT_EQ(unready.failed[0].message, "there is none");
  for (const int status : {404, 500, 503}) {
    broker.answer_all_with(status);
    EXPECT_FALSE(client.readiness(5s).ready) << status;
    EXPECT_TRUE(client.readiness(5s).failed.empty()) << "nothing is known";
  }
}

TEST(Readiness, is_only_what_says_so) {
  for (const char* bad : {"", "ok", "[]", "{}", R"({"healthy":true})", R"({"checks":{}})"}) {
    EXPECT_FALSE(parse_readiness(bad).ready) << bad;
    EXPECT_TRUE(parse_readiness(bad).failed.empty()) << bad;
  }
  const auto odd = parse_readiness(
      R"({"healthy":false,"checks":[7,{"healthy":false,"reason":1},{"healthy":true}]})");
  ASSERT_EQ(odd.failed.size(), 1U);
  EXPECT_EQ(odd.failed[0].reason, "");
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
