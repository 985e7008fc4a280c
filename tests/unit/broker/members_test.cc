// SPDX-License-Identifier: Apache-2.0
// Who may belong to a broker set: what is refused, with which reason, and that the log says so once
// however often it is asked for. The newcomers are transports that say of themselves what the test
// wants. And what a change of leader is for clients of the member that led.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>

#include "state/commands.h"
#include "tests/support/log_lines.h"
#include "tests/unit/broker/broker_rig.h"
#include "tests/unit/peer/peer_test_util.h"

namespace gantry::broker::test {
namespace {

using gantry::testing::LogLines;
using peer::member_id;
using peer::Station;
using protocol::Command;
using protocol::RequestCode;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Matches;

constexpr auto kRefused = "a change of the membership is refused";

// Fits into the rig's broker set.
class Newcomer : public Station {
 public:
  Newcomer(const BrokerRig& rig, char digit) : Station(digit) {
    hello.cluster = rig.config.broker_cluster_name;
    hello.broker_name = rig.config.broker_name;
    hello.file_bytes = rig.config.mapped_file_size_commit_log;
    hello.feature_level = 1000;
    hello.process = static_cast<std::uint64_t>(digit);
  }
};

// The answer that is not "ask again in a moment".
HttpAnswer decided(BrokerRig& rig, const std::string& method, const std::string& path,
                   const std::string& body = {}) {
  HttpAnswer answer;
  EXPECT_TRUE(rig.eventually([&] {
    answer = rig.http(method, path, body);
    return answer.status != 503 && answer.status != 0;
  })) << answer.body;
  return answer;
}

HttpAnswer join(BrokerRig& rig, const std::string& address) {
  return decided(rig, "PUT", "/v1/members", R"({"address": ")" + address + R"("})");
}

class MembersTest : public ::testing::Test {
 protected:
  MembersTest() {
    rig_.start();
    const auto level = ContainsRegex("\ngantry_state_feature_level[^\n]* " +
                                     std::to_string(state::kSupportedFeatureLevel) + "\n");
    EXPECT_TRUE(rig_.eventually([&] { return Matches(level)(rig_.http_get("/metrics")); }));
  }

  void expect_refused(int status, const std::string& reason, const std::string& method,
                      const std::string& path, const std::string& body = {}) {
    for (int i = 0; i < 3; ++i) {
      const HttpAnswer answer = decided(rig_, method, path, body);
      EXPECT_EQ(answer.status, status) << answer.body;
      EXPECT_THAT(answer.body, HasSubstr(reason));
    }
    EXPECT_EQ(log_.count(kRefused), 1) << log_.text();
    EXPECT_EQ(log_.count("warn  group: " + std::string(kRefused)), 1) << log_.text();
    EXPECT_EQ(log_.count(reason), 1) << log_.text();
  }
  void expect_join_refused(const std::string& reason, const Station& newcomer) {
    expect_refused(409, reason, "PUT", "/v1/members",
                   R"({"address": ")" + newcomer.hello.address + R"("})");
  }

  LogLines log_;
  BrokerRig rig_;
};

TEST_F(MembersTest, ANewcomerJoins) {
  Newcomer newcomer(rig_, 'b');
  newcomer.start();
  const HttpAnswer answer = join(rig_, newcomer.hello.address);
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr(member_id('b')));
  EXPECT_EQ(log_.count(kRefused), 0) << log_.text();
}

TEST_F(MembersTest, ANewcomerWhoseClockIsAMinuteBehindIsRefused) {
  rig_.clock.move(std::chrono::seconds(65));
  Newcomer newcomer(rig_, 'b');
  newcomer.start();
  expect_join_refused("ms behind the leader's: set the clocks right", newcomer);
}

TEST_F(MembersTest, ANewcomerWhoseClockIsAMinuteAheadIsRefused) {
  rig_.clock.move(std::chrono::seconds(-65));
  Newcomer newcomer(rig_, 'b');
  newcomer.start();
  expect_join_refused("ms ahead of the leader's: set the clocks right", newcomer);
}

TEST_F(MembersTest, ANewcomerWhoseClockIsHalfAMinuteOffJoins) {
  rig_.clock.move(std::chrono::seconds(30));
  Newcomer newcomer(rig_, 'b');
  newcomer.start();
  const HttpAnswer answer = join(rig_, newcomer.hello.address);
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_GE(log_.count("behind this one's: messages get the leader's time"), 1) << log_.text();
}

TEST_F(MembersTest, ANewcomerOfAnOlderVersionIsRefused) {
  Newcomer newcomer(rig_, 'b');
  newcomer.hello.feature_level = 2;
  newcomer.start();
  expect_join_refused("supports feature level 2, this broker set uses " +
                          std::to_string(state::kSupportedFeatureLevel),
                      newcomer);
}

TEST_F(MembersTest, ANewcomerWithItsOwnHistoryIsRefused) {
  Newcomer newcomer(rig_, 'b');
  newcomer.hello.formed = true;
  newcomer.hello.membership.put({member_id('b'), newcomer.hello.address, 1, true});
  newcomer.start();
  expect_join_refused("belongs to another broker set of 1 members", newcomer);
}

TEST_F(MembersTest, ANewcomerIsNotJoinedAtTheAddressOfAnother) {
  Newcomer member(rig_, 'b');
  member.start();
  ASSERT_EQ(join(rig_, member.hello.address).status, 200);
  Newcomer newcomer(rig_, 'c');
  newcomer.start();
  ASSERT_TRUE(member.board.wait([&] { return !member.peers.empty(); }));
  newcomer.dial({member.peers[0].hello.address});
  expect_refused(
      409, "says that it is at " + newcomer.hello.address + ", not at " + member.hello.address,
      "PUT", "/v1/members",
      R"({"uuid": ")" + member_id('c') + R"(", "address": ")" + member.hello.address + R"("})");
}

TEST_F(MembersTest, WhoeverIsNoMemberCannotBeRemoved) {
  expect_refused(404, "does not belong to this broker set", "DELETE",
                 "/v1/members/" + member_id('0'));
}

TEST_F(MembersTest, WhoeverIsNoMemberCannotBePromoted) {
  expect_refused(404, "does not belong to this broker set", "POST",
                 "/v1/members/" + member_id('0') + "/promote");
}

TEST_F(MembersTest, TheLastVoterStays) {
  const std::string members = rig_.http_get("/v1/members");
  const std::string key = R"("self": ")";
  const std::size_t self = members.find(key);
  ASSERT_NE(self, std::string::npos) << members;
  expect_refused(409, "the last voter of a broker set cannot be removed", "DELETE",
                 "/v1/members/" + members.substr(self + key.size(), 32));
}

TEST_F(MembersTest, EveryRefusedRequestHasItsLine) {
  for (const char digit : {'0', '1', '2'}) {
    EXPECT_EQ(decided(rig_, "DELETE", "/v1/members/" + member_id(digit)).status, 404);
  }
  EXPECT_EQ(decided(rig_, "POST", "/v1/members/" + member_id('0') + "/promote").status, 404);
  EXPECT_EQ(log_.count(kRefused), 4) << log_.text();
}

TEST_F(MembersTest, WhatWasGrantedInBetweenIsRefusedAloud) {
  Newcomer newcomer(rig_, 'b');
  newcomer.start();
  const std::string path = "/v1/members/" + member_id('b');
  ASSERT_EQ(decided(rig_, "DELETE", path).status, 404);
  ASSERT_EQ(join(rig_, newcomer.hello.address).status, 200);
  ASSERT_EQ(decided(rig_, "DELETE", path).status, 200);
  ASSERT_EQ(decided(rig_, "DELETE", path).status, 404);
  EXPECT_EQ(log_.count(kRefused), 2) << log_.text();
}

// Two brokers, of which the first leads.
class TwoMembers : public ::testing::Test {
 protected:
  TwoMembers() {
    first_.start();
    first_.create_topic("T");
    // Where the second one can be reached: it says so to whom it takes for a member.
    Newcomer witness(first_, 'e');
    witness.start();
    second_.config.raft_initial_members = {witness.hello.address};
    second_.start();
    std::string address;
    EXPECT_TRUE(witness.board.wait([&] {
      if (witness.peers.empty()) return false;
      address = witness.peers[0].hello.address;
      second_id_ = witness.peers[0].hello.member_uuid;
      return true;
    }));
    EXPECT_EQ(join(first_, address).status, 200);
    const HttpAnswer promoted = decided(first_, "POST", "/v1/members/" + second_id_ + "/promote");
    EXPECT_EQ(promoted.status, 200) << promoted.body;
  }

  BrokerRig first_, second_;
  raft::MemberId second_id_;
};

TEST_F(TwoMembers, APullThatWaitsIsAnsweredWhenTheLeaderHandsOver) {
  constexpr std::chrono::seconds kHeldFor{20};
  auto consumer = net::BlockingClient::connect(
      "127.0.0.1:" + std::to_string(first_.remoting_port()), 2 * kHeldFor);
  ASSERT_TRUE(consumer) << consumer.error().message;
  Command pull = Command::request(protocol::to_int(RequestCode::kPullMessage));
  pull.with("consumerGroup", "G")
      .with("topic", "T")
      .with("queueId", "0")
      .with("queueOffset", "0")
      .with("maxMsgNums", "32")
      .with("sysFlag", "6")  // may wait; carries its subscription
      .with("commitOffset", "0")
      .with("suspendTimeoutMillis", std::to_string(kHeldFor / std::chrono::milliseconds(1)))
      .with("subscription", "*")
      .with("subVersion", "0");
  auto answer = std::async(std::launch::async,
                           [&] { return (*consumer)->call(std::move(pull), 2 * kHeldFor); });
  const auto held = ContainsRegex("processor=\"pull_held\"[^\n]* 1\n");
  ASSERT_TRUE(first_.eventually([&] { return Matches(held)(first_.http_get("/metrics")); }));
  const HttpAnswer moved = first_.http("POST", "/v1/raft/transfer?target=" + second_id_);
  ASSERT_EQ(moved.status, 200) << moved.body;
  ASSERT_EQ(answer.wait_for(kHeldFor / 2), std::future_status::ready)
      << "the consumer would wait its whole time at a member that does not lead";
  const Result<Command> pulled = answer.get();
  ASSERT_TRUE(pulled) << pulled.error().message;
  EXPECT_EQ(pulled->code, protocol::to_int(protocol::ResponseCode::kPullNotFound))
      << pulled->remark.value_or("");
}

}  // namespace
}  // namespace gantry::broker::test
