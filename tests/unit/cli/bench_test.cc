// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/load_stats.h"
#include "tests/unit/cli/fake_cluster.h"

namespace gantry::test {
namespace {

using nlohmann::json;
using protocol::RequestCode;
using protocol::ResponseCode;
using testing::HasSubstr;

class BenchTest : public testing::Test {
 protected:
  BenchTest() { cluster_.add_topic("orders", 4); }
  FakeCluster cluster_;
};

TEST_F(BenchTest, SendsExactlyTheCount) {
  const Ran ran = run_gantry(cluster_, {"bench", "produce", "orders", "--count", "203", "--size",
                                        "100", "--connections", "3", "--threads", "2", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["messages"], 203);
  EXPECT_EQ(shown["bytes"], 20'300);
  EXPECT_EQ(shown["errors"], 0);
  EXPECT_GT(shown["latencyUs"]["p99"], 0);
  const auto bodies = cluster_.bodies("orders");
  EXPECT_EQ(bodies.size(), 203U);
  EXPECT_EQ(bodies[0].size(), 100U);
}

TEST_F(BenchTest, FewerMessagesThanConnections) {
  const Ran ran = run_gantry(
      cluster_, {"bench", "produce", "orders", "--count", "2", "--connections", "8", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(json::parse(ran.out)["messages"], 2);
}

TEST_F(BenchTest, KeepsToTheRate) {
  const Ran ran = run_gantry(cluster_, {"bench", "produce", "orders", "--seconds", "1", "--rate",
                                        "100", "--connections", "2", "--progress"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto sent = cluster_.bodies("orders").size();
  EXPECT_GT(sent, 50U);
  EXPECT_LE(sent, 103U);
  EXPECT_THAT(ran.err, HasSubstr("sent/s"));
  EXPECT_THAT(ran.out, HasSubstr("p99.9"));
}

TEST_F(BenchTest, FailuresAreCountedAndCodeOne) {
  cluster_.server().on(RequestCode::kSendMessageV2,
                       refuse(ResponseCode::kNoPermission, "read only"));
  const Ran ran = run_gantry(cluster_, {"bench", "produce", "orders", "--count", "4",
                                        "--connections", "1", "--inflight", "2", "--json"});
  EXPECT_EQ(ran.code, 1);
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["messages"], 0);
  EXPECT_EQ(shown["errors"], 4);
  ASSERT_EQ(shown["errorKinds"].size(), 1U);
  EXPECT_EQ(shown["errorKinds"][0]["count"], 4);
  EXPECT_THAT(ran.err, HasSubstr("read only"));
}

TEST(LoadStats, TextsThatDifferInNumbersAreOneKind) {
  cli::LoadStats stats;
  stats.count_error("broker b:1: in queue 203 ms, size 86");
  stats.count_error("broker b:1: in queue 7 ms, size 5");
  stats.count_error("something else");
  cli::LoadStats all;
  all.merge(stats);
  all.merge(stats);
  EXPECT_EQ(all.errors, 6);
  ASSERT_EQ(all.error_kinds.size(), 2U);
  EXPECT_EQ(all.error_kinds.begin()->second.count, 4);
  EXPECT_EQ(all.error_kinds.begin()->second.example, "broker b:1: in queue 203 ms, size 86");
}

TEST_F(BenchTest, ReadsToTheEnd) {
  for (int i = 0; i < 90; ++i) cluster_.add_message("orders", i % 4, {});
  const Ran ran =
      run_gantry(cluster_, {"bench", "consume", "orders", "--connections", "3", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["messages"], 90);
  EXPECT_EQ(shown["bytes"], 450);
}

TEST_F(BenchTest, EndToEndMeasuresEveryMessageOfItsRun) {
  cluster_.add_message("orders", 0, {});  // of somebody else
  const Ran ran = run_gantry(cluster_, {"bench", "e2e", "orders", "--count", "50", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["sent"]["messages"], 50);
  EXPECT_EQ(shown["received"]["messages"], 50);
  EXPECT_GT(shown["received"]["endToEndUs"]["max"], 0);
}

TEST_F(BenchTest, WrongUsage) {
  EXPECT_EQ(run_gantry(cluster_, {"bench", "produce", "orders", "--size", "big"}).code, 2);
  EXPECT_EQ(run_gantry(cluster_, {"bench", "consume", "orders", "--from", "then"}).code, 2);
  EXPECT_EQ(run_gantry(cluster_, {"bench", "produce", "nothing"}).code, 3);
}

}  // namespace
}  // namespace gantry::test
