// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/cli/fake_cluster.h"

namespace gantry::test {
namespace {

using nlohmann::json;
using protocol::RequestCode;
using protocol::ResponseCode;
using testing::HasSubstr;
using testing::Not;

// Topic orders with two queues of three messages, one second apart; group billing at 1 and 3.
class GroupTest : public testing::Test {
 protected:
  GroupTest() {
    cluster_.add_topic("orders", 2);
    for (int queue = 0; queue < 2; ++queue) {
      for (int i = 0; i < 3; ++i) {
        TestMessage message;
        message.stored_ms += i * 1000;
        cluster_.add_message("orders", queue, message);
      }
    }
    cluster_.add_group("billing");
    cluster_.add_group("TOOLS_CONSUMER");
    cluster_.set_offset("billing", "orders", 0, 1);
    cluster_.set_offset("billing", "orders", 1, 3);
  }

  Ran reset(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"group", "reset-offset", "billing", "--topic", "orders"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_gantry(cluster_, arguments);
  }
  std::int64_t offset(int queue) {
    return cluster_.offset("billing", "orders", queue).value_or(-1);
  }

  FakeCluster cluster_;
};

TEST_F(GroupTest, ListShowsLag) {
  cluster_.add_member("billing", "client-1");
  Ran ran = run_gantry(cluster_, {"group", "list", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json groups = json::parse(ran.out)["groups"];
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0]["group"], "billing");
  EXPECT_EQ(groups[0]["lag"], 2);
  EXPECT_EQ(groups[0]["members"], 1);
  ran = run_gantry(cluster_, {"group", "list"});
  EXPECT_THAT(ran.out, Not(HasSubstr("TOOLS_CONSUMER")));
  EXPECT_THAT(ran.out, HasSubstr("1 group of the system not shown"));
}

TEST_F(GroupTest, LagByQueue) {
  const Ran ran = run_gantry(cluster_, {"group", "lag", "billing", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["lag"], 2);
  EXPECT_EQ(shown["queues"][0]["consumerOffset"], 1);
  EXPECT_EQ(shown["queues"][0]["brokerOffset"], 3);
  EXPECT_EQ(shown["queues"][1]["lag"], 0);
}

TEST_F(GroupTest, MissingNamesAreCodeThree) {
  EXPECT_EQ(run_gantry(cluster_, {"group", "lag", "nobody"}).code, 3);
  EXPECT_EQ(run_gantry(cluster_, {"group", "describe", "nobody"}).code, 3);
  EXPECT_EQ(run_gantry(cluster_, {"group", "lag", "billing", "--topic", "nothing"}).code, 3);
  EXPECT_EQ(run_gantry(cluster_,
                       {"group", "reset-offset", "nobody", "-t", "orders", "--to", "latest", "-y"})
                .code,
            3);
}

TEST_F(GroupTest, DescribeShowsMembersOnceAndSubscriptions) {
  cluster_.add_member("billing", "client-1");
  cluster_.add_member("billing", "client-1");
  const Ran ran = run_gantry(cluster_, {"group", "describe", "billing", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["online"], true);
  EXPECT_EQ(shown["members"].size(), 1U);
  EXPECT_EQ(shown["subscriptions"][0]["expression"], "*");
  EXPECT_EQ(shown["lagByTopic"]["orders"], 2);
  EXPECT_EQ(shown["config"]["retryMaxTimes"], 16);
}

TEST_F(GroupTest, DescribeOfAnOfflineGroup) {
  const Ran ran = run_gantry(cluster_, {"group", "describe", "billing"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("offline"));
}

TEST_F(GroupTest, ResetNeedsAConfirmation) {
  EXPECT_EQ(reset({"--to", "earliest"}).code, 2);
  EXPECT_EQ(offset(1), 3);
}

TEST_F(GroupTest, ResetToTheEnds) {
  Ran ran = reset({"--to", "earliest", "--yes", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["queues"][1]["oldOffset"], 3);
  EXPECT_EQ(shown["queues"][1]["newOffset"], 0);
  EXPECT_EQ(offset(0), 0);
  EXPECT_EQ(offset(1), 0);
  EXPECT_EQ(reset({"--to", "latest", "--yes"}).code, 0);
  EXPECT_EQ(offset(0), 3);
}

TEST_F(GroupTest, ResetToATime) {
  EXPECT_EQ(reset({"--to", std::to_string(TestMessage{}.stored_ms + 1000), "--yes"}).code, 0);
  EXPECT_EQ(offset(0), 1);
  EXPECT_EQ(offset(1), 1);
}

TEST_F(GroupTest, ResetOfOneQueueToAnOffset) {
  EXPECT_EQ(reset({"--to", "offset:2", "--queue", "broker-a:1", "--yes"}).code, 0);
  EXPECT_EQ(offset(0), 1);
  EXPECT_EQ(offset(1), 2);
}

TEST_F(GroupTest, DryRunChangesNothing) {
  const Ran ran = reset({"--to", "earliest", "--dry-run"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Nothing was changed"));
  EXPECT_EQ(offset(1), 3);
}

TEST_F(GroupTest, ResetRefusesWhatIsNotThere) {
  EXPECT_EQ(reset({"--to", "offset:4", "--yes"}).code, 1);
  EXPECT_EQ(reset({"--to", "earliest", "--queue", "broker-a:9", "--yes"}).code, 3);
  EXPECT_EQ(reset({"--to", "someday", "--yes"}).code, 2);
  EXPECT_EQ(reset({"--to", "earliest", "--queue", "broker-a", "--yes"}).code, 2);
  EXPECT_EQ(offset(0), 1);
}

TEST_F(GroupTest, AnOldBrokerGetsTheOffsetsWritten) {
  cluster_.server().on(RequestCode::kInvokeBrokerToResetOffset,
                       refuse(ResponseCode::kConsumerNotOnline));
  const Ran ran = reset({"--to", "earliest", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(cluster_.server().requests(RequestCode::kUpdateConsumerOffset).size(), 2U);
  EXPECT_EQ(offset(1), 0);
}

}  // namespace
}  // namespace gantry::test
