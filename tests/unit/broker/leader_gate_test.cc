// SPDX-License-Identifier: Apache-2.0
// A member that does not lead, between a client and a server in the leader's place.
#include "broker/group/leader_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>

#include "net/remoting_client.h"
#include "net/remoting_server.h"
#include "tests/unit/broker/group_rig.h"
#include "tests/unit/client/scripted_server.h"

namespace gantry::broker::test {
namespace {

using gantry::test::ScriptedServer;
using protocol::Command;
using protocol::RequestCode;
using protocol::ResponseCode;
using std::chrono::microseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr seconds kForwardedFor{60};
constexpr microseconds kWaitsFor{2'500'000};
constexpr int kLimit = 4096;  // of requests on their way, and of those that wait
constexpr auto kByLeader = "by the leader";
constexpr auto kServedHere = "here";
constexpr auto kNoMaster = "broker broker-a has no master at the moment";
constexpr auto kCallTimeout = std::chrono::minutes(1);

Command a_send() { return Command::request(protocol::to_int(RequestCode::kSendMessageV2)); }

class LeaderGateTest : public ::testing::Test, private net::ConnectionHandler {
 protected:
  LeaderGateTest() {
    leader_.on(RequestCode::kSendMessageV2, Command::response(0, kByLeader));
    rig_.start_as_one_of_three();
  }
  ~LeaderGateTest() override {
    rig_.run([this] {
      rig_.group_changed = nullptr;
      client_.reset();
      server_.reset();
      gate_.reset();
    });
  }

  void start() {
    rig_.run([this] {
      gate_.emplace(
          rig_.context(),
          [this] {
            return rig_.storage().replica().core().leader().empty() ? "" : leader_address_;
          },
          serve());
      rig_.group_changed = [this] { gate_->on_group_changed(); };
      net::ConnectionHandler& handler = *this;
      server_.emplace(rig_.shard, handler, net::RemotingServerOptions{});
      rig_.context().connections.add(*server_);
      address_ = "127.0.0.1:" + std::to_string(server_->listen("127.0.0.1", 0).value());
      client_.emplace(rig_.shard, nullptr);
    });
    leader_is(leader_.address());
  }
  void leader_is(const std::string& address) {
    rig_.run([&] { leader_address_ = address; });
  }

  // Answers of requests, in the order they come. A handle.
  class Answers {
   public:
    void add(Result<Command> answer) const {
      const std::lock_guard lock(all_->mutex);
      all_->answers.push_back(std::move(answer));
      all_->changed.notify_all();
    }
    // Empty: not so many in a minute.
    std::vector<Result<Command>> first(std::size_t count) {
      std::unique_lock lock(all_->mutex);
      const auto& answers = all_->answers;
      if (!all_->changed.wait_for(lock, kCallTimeout, [&] { return answers.size() >= count; })) {
        return {};
      }
      return {answers.begin(), answers.begin() + static_cast<std::ptrdiff_t>(count)};
    }
    std::size_t count() {
      const std::lock_guard lock(all_->mutex);
      return all_->answers.size();
    }

   private:
    struct All {
      std::mutex mutex;
      std::condition_variable changed;
      std::vector<Result<Command>> answers;
    };
    std::shared_ptr<All> all_ = std::make_shared<All>();
  };

  void ask(const Answers& answers, int times = 1, const Command& request = a_send()) {
    rig_.run([&] {
      for (int i = 0; i < times; ++i) {
        client_->call(address_, request, kCallTimeout, [answers](Result<Command> answer) mutable {
          answers.add(std::move(answer));
        });
      }
    });
  }
  Command asked(const Command& request = a_send()) {
    Answers answers;
    ask(answers, 1, request);
    const auto all = answers.first(1);
    if (all.empty() || !all[0]) {
      ADD_FAILURE() << (all.empty() ? "no answer" : all[0].error().message);
      return Command::response(-1);
    }
    return *all[0];
  }
  void expect(int code, const std::string& remark, const Command& answer) {
    EXPECT_EQ(answer.code, code);
    EXPECT_THAT(answer.remark.value_or(""), HasSubstr(remark));
  }
  void expect_refused(const std::string& remark, const Command& answer) {
    // Clients try elsewhere, or again, after this code.
    expect(protocol::to_int(ResponseCode::kServiceNotAvailable), remark, answer);
  }
  std::string master_is_the_leader() const {
    return "the master of broker broker-a is " + leader_.address();
  }
  std::size_t waiting() {
    std::size_t waiting = 0;
    rig_.run([&] { waiting = gate_->waiting(); });
    return waiting;
  }
  // Until so many requests wait.
  bool wait_for_waiting(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + kCallTimeout;
    while (waiting() != count) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  LeaderGate::Stats stats() {
    LeaderGate::Stats stats;
    rig_.run([&] { stats = gate_->stats(); });
    return stats;
  }

  GroupRig rig_;
  ScriptedServer leader_;

 private:
  std::function<void(net::Connection&, const protocol::CommandView&)> serve() {
    return [](net::Connection& connection, const protocol::CommandView& request) {
      respond(connection, request, Command::response(0, kServedHere));
    };
  }
  void on_request(net::Connection& connection, protocol::CommandView& request) override {
    if (gate_->admit(connection, request)) serve()(connection, request);
  }
  void on_close(net::Connection& connection) override {
    gate_->on_connection_closed(connection.id());
  }

  // Shard only.
  std::string leader_address_, address_;
  std::optional<LeaderGate> gate_;
  std::optional<net::RemotingServer> server_;
  std::optional<net::RemotingClient> client_;
};

TEST_F(LeaderGateTest, WhatEveryMemberCanDoIsDoneHere) {
  start();
  const Command pull = Command::request(protocol::to_int(RequestCode::kPullMessage));
  expect(0, kServedHere, asked(pull));
  rig_.hear_leader('b', 1);
  expect(0, kServedHere, asked(pull));
  EXPECT_EQ(stats().forwarded, 0U);
}

TEST_F(LeaderGateTest, TheLeaderIsAskedWithTheClientsAddress) {
  start();
  rig_.hear_leader('b', 1);
  Command request = a_send();
  request.body = "body";
  expect(0, kByLeader, asked(request.with("b", "Topic")));
  const auto got = leader_.requests(RequestCode::kSendMessageV2);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].body, "body");
  EXPECT_EQ(got[0].find("b"), "Topic");
  EXPECT_EQ(got[0].find(kForwardHops), "1");
  EXPECT_THAT(std::string(got[0].find(kForwardedBornHost).value_or("")), HasSubstr("127.0.0.1:"));
}

TEST_F(LeaderGateTest, ForAMinuteAfterAChangeOfLeader) {
  start();
  rig_.hear_leader('b', 1);
  rig_.clock.advance(kForwardedFor - microseconds(1));
  expect(0, kByLeader, asked());
  rig_.clock.advance(microseconds(1));
  expect_refused(master_is_the_leader(), asked());
  rig_.hear_leader('b', 2);  // the same one
  expect_refused(master_is_the_leader(), asked());
  rig_.hear_leader('c', 3);
  expect(0, kByLeader, asked());
  rig_.clock.advance(kForwardedFor);
  expect_refused(master_is_the_leader(), asked());
  EXPECT_EQ(stats().forwarded, 2U);
  EXPECT_EQ(stats().refused, 3U);
}

TEST_F(LeaderGateTest, LongerWhereTheLeaderHasAnAddress) {
  rig_.config.leader_advertised_address = "leader.test:10911";
  start();
  rig_.hear_leader('b', 1);
  rig_.clock.advance(10 * kForwardedFor);
  expect(0, kByLeader, asked());
}

TEST_F(LeaderGateTest, ARequestIsPassedOnThreeTimes) {
  start();
  rig_.hear_leader('b', 1);
  expect(0, kByLeader, asked(a_send().with(std::string(kForwardHops), 2)));
  EXPECT_EQ(leader_.requests(RequestCode::kSendMessageV2).at(0).find(kForwardHops), "3");
  expect_refused(master_is_the_leader(), asked(a_send().with(std::string(kForwardHops), 3)));
  EXPECT_EQ(leader_.requests(RequestCode::kSendMessageV2).size(), 1U);
}

TEST_F(LeaderGateTest, WhoeverPassedItOnNamedTheClient) {
  start();
  rig_.hear_leader('b', 1);
  expect(0, kByLeader,
         asked(a_send()
                   .with(std::string(kForwardHops), 1)
                   .with(std::string(kForwardedBornHost), "192.0.2.1:5")));
  const auto got = leader_.requests(RequestCode::kSendMessageV2);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].find(kForwardedBornHost), "192.0.2.1:5");
}

TEST_F(LeaderGateTest, ALeaderThatCannotBeReachedIsNotAsked) {
  start();
  rig_.hear_leader('b', 1);
  leader_is("");  // not connected with it
  expect_refused(kNoMaster, asked());
}

TEST_F(LeaderGateTest, ALeaderThatGoesAwayIsSaidSo) {
  start();
  rig_.hear_leader('b', 1);
  leader_.go_away();
  expect_refused("the master " + leader_.address() + " of broker broker-a does not answer",
                 asked());
}

TEST_F(LeaderGateTest, SoManyRequestsAreOnTheirWayAtOnce) {
  leader_.on(RequestCode::kSendMessageV2, [](const Command&) { return std::nullopt; });
  start();
  rig_.hear_leader('b', 1);
  Answers answers;
  ask(answers, kLimit + 1);
  const auto first = answers.first(1);
  ASSERT_FALSE(first.empty());
  ASSERT_TRUE(first[0]);
  expect_refused(master_is_the_leader(), *first[0]);
  EXPECT_EQ(stats().forwarded, static_cast<std::uint64_t>(kLimit));
  EXPECT_EQ(stats().refused, 1U);
  // When they have ended, others may go.
  leader_.go_away();
  ASSERT_EQ(answers.first(kLimit + 1).size(), static_cast<std::size_t>(kLimit + 1));
  ScriptedServer again;
  again.on(RequestCode::kSendMessageV2, Command::response(0, kByLeader));
  leader_is(again.address());
  expect(0, kByLeader, asked());
}

TEST_F(LeaderGateTest, WithoutALeaderRequestsWaitForTheNextOne) {
  start();
  rig_.hear_leader('b', 1);
  rig_.hear_term_without_leader(2);
  Answers answers;
  ask(answers, 3);
  ASSERT_TRUE(wait_for_waiting(3));
  EXPECT_EQ(answers.count(), 0U);
  rig_.hear_leader('c', 2);
  const auto all = answers.first(3);
  ASSERT_EQ(all.size(), 3U);
  for (const auto& answer : all) {
    ASSERT_TRUE(answer);
    expect(0, kByLeader, *answer);
  }
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(LeaderGateTest, RequestsWaitForTwoAndAHalfSeconds) {
  start();
  rig_.hear_leader('b', 1);
  rig_.hear_term_without_leader(2);
  Answers first, second;
  ask(first);
  ASSERT_TRUE(wait_for_waiting(1));
  rig_.clock.advance(microseconds(1));
  ask(second);
  ASSERT_TRUE(wait_for_waiting(2));
  rig_.clock.advance(kWaitsFor - microseconds(1));
  const auto refused = first.first(1);
  ASSERT_EQ(refused.size(), 1U);
  ASSERT_TRUE(refused[0]);
  expect_refused(kNoMaster, *refused[0]);
  EXPECT_EQ(waiting(), 1U) << "the second one came a microsecond later";
  EXPECT_EQ(second.count(), 0U);
  rig_.clock.advance(microseconds(1));
  const auto refused_too = second.first(1);
  ASSERT_EQ(refused_too.size(), 1U);
  ASSERT_TRUE(refused_too[0]);
  expect_refused(kNoMaster, *refused_too[0]);
}

TEST_F(LeaderGateTest, WhenTheLeaderHasBeenGoneForLongNobodyWaits) {
  start();
  rig_.hear_leader('b', 1);
  rig_.hear_term_without_leader(2);
  rig_.clock.advance(kWaitsFor);
  expect_refused(kNoMaster, asked());
}

TEST_F(LeaderGateTest, SoManyRequestsWaitAtOnce) {
  start();
  rig_.hear_leader('b', 1);
  rig_.hear_term_without_leader(2);
  Answers answers;
  ask(answers, kLimit + 1);
  const auto first = answers.first(1);
  ASSERT_FALSE(first.empty());
  ASSERT_TRUE(first[0]);
  expect_refused(kNoMaster, *first[0]);
  EXPECT_EQ(waiting(), static_cast<std::size_t>(kLimit));
  EXPECT_EQ(answers.count(), 1U);
  rig_.hear_leader('c', 2);
  EXPECT_EQ(answers.first(kLimit + 1).size(), static_cast<std::size_t>(kLimit + 1));
}

TEST_F(LeaderGateTest, SoManyBytesWaitAtOnce) {
  start();
  rig_.hear_leader('b', 1);
  rig_.hear_term_without_leader(2);
  Command large = a_send();
  large.body.assign(8U << 20, 'x');
  Answers answers;
  for (std::size_t i = 1; i <= 8; ++i) {  // 64 MiB
    ask(answers, 1, large);
    ASSERT_TRUE(wait_for_waiting(i));
  }
  expect_refused(kNoMaster, asked());
  EXPECT_EQ(waiting(), 8U);
  rig_.hear_leader('c', 2);
  EXPECT_EQ(answers.first(8).size(), 8U);
  EXPECT_EQ(leader_.requests(RequestCode::kSendMessageV2).size(), 8U);
  rig_.hear_term_without_leader(3);
  ask(answers, 1, large);
  EXPECT_TRUE(wait_for_waiting(1)) << "those that were passed on are not counted any more";
}

}  // namespace
}  // namespace gantry::broker::test
