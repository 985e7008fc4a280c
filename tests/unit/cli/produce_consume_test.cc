// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "cli/run.h"
#include "protocol/properties.h"
#include "tests/unit/cli/fake_cluster.h"

namespace gantry::test {
namespace {

using nlohmann::json;
using protocol::RequestCode;
using protocol::ResponseCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

class ProduceTest : public testing::Test {
 protected:
  ProduceTest() { cluster_.add_topic("orders", 3); }
  FakeCluster cluster_;
};

TEST_F(ProduceTest, SendsTheArguments) {
  const Ran ran = run_gantry(cluster_, {"produce", "orders", "one", "two", "three"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(cluster_.bodies("orders"), UnorderedElementsAre("one", "two", "three"));
  EXPECT_EQ(lines(ran.out).size(), 3U);
  EXPECT_THAT(ran.out, HasSubstr(" broker-a:"));
}

TEST_F(ProduceTest, SendsTheLinesOfStdin) {
  const Ran ran = run_gantry(cluster_, {"produce", "orders", "--quiet"}, "a\n\nb b\n");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(cluster_.bodies("orders"), UnorderedElementsAre("a", "", "b b"));
  EXPECT_THAT(ran.out, HasSubstr("3 messages sent"));
}

TEST_F(ProduceTest, SetsWhatBelongsToTheMessage) {
  const Ran ran =
      run_gantry(cluster_, {"produce", "orders", "x", "--tag", "paid", "--key", "k1", "--key", "k2",
                            "--property", "color=red", "--delay-level", "3"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const std::string properties = cluster_.properties("orders");
  EXPECT_EQ(protocol::find_property(properties, "TAGS"), "paid");
  EXPECT_EQ(protocol::find_property(properties, "KEYS"), "k1 k2");
  EXPECT_EQ(protocol::find_property(properties, "color"), "red");
  EXPECT_EQ(protocol::find_property(properties, "DELAY"), "3");
}

TEST_F(ProduceTest, JsonIsOneDocument) {
  const Ran ran = run_gantry(cluster_, {"produce", "orders", "a", "b", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["sent"], 2);
  EXPECT_EQ(shown["messages"].size(), 2U);
  EXPECT_EQ(shown["messages"][0]["status"], "SUCCESS");
}

TEST_F(ProduceTest, RepeatAndRate) {
  const auto begin = std::chrono::steady_clock::now();
  const Ran ran =
      run_gantry(cluster_, {"produce", "orders", "x", "--repeat", "5", "--rate", "20", "--quiet"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(cluster_.bodies("orders").size(), 5U);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(200));
}

TEST_F(ProduceTest, KeysOutOfLines) {
  const Ran ran =
      run_gantry(cluster_, {"produce", "orders", "--key-separator", ":"}, "order-7:body:rest\n");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(cluster_.bodies("orders"), ElementsAre("body:rest"));
  EXPECT_EQ(protocol::find_property(cluster_.properties("orders"), "KEYS"), "order-7");
}

TEST_F(ProduceTest, WrongUsageSendsNothing) {
  EXPECT_EQ(run_gantry(cluster_, {"produce", "orders", "x", "--property", "novalue"}).code, 2);
  EXPECT_EQ(run_gantry(cluster_, {"produce", "orders", "x", "--property", "TAGS=x"}).code, 2);
  EXPECT_EQ(run_gantry(cluster_, {"produce", "orders", "x", "--key", "two words"}).code, 2);
  EXPECT_EQ(run_gantry(cluster_, {"produce", "orders", "x", "--deliver-at", "soon"}).code, 2);
  EXPECT_EQ(run_gantry(cluster_, {"produce", "orders", "x", "--delay-level", "19"}).code, 2);
  EXPECT_EQ(run_gantry(cluster_, {"produce"}).code, 2);
  EXPECT_TRUE(cluster_.bodies("orders").empty());
}

TEST_F(ProduceTest, AMissingTopicIsCodeThree) {
  const Ran ran = run_gantry(cluster_, {"produce", "nothing", "x"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("gantry topic create nothing"));
}

TEST_F(ProduceTest, ARefusalTellsWhichMessage) {
  cluster_.server().on(RequestCode::kSendMessageV2,
                       refuse(ResponseCode::kMessageIllegal, "too large"));
  const Ran ran = run_gantry(cluster_, {"produce", "orders", "x"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("message 1: "));
  EXPECT_THAT(ran.err, HasSubstr("too large"));
}

TEST_F(ProduceTest, ABusyBrokerIsAskedAgain) {
  int asked = 0;
  cluster_.server().on(
      RequestCode::kSendMessageV2,
      [&](const protocol::Command&) -> std::optional<protocol::Command> {
        if (++asked < 5) return refuse(ResponseCode::kSystemBusy);
        return success().with("msgId", "M").with("queueId", 0).with("queueOffset", 0);
      });
  EXPECT_EQ(run_gantry(cluster_, {"produce", "orders", "x"}).code, 0);
  EXPECT_EQ(asked, 5);
}

// Queue i holds the bodies "<i>-0" to "<i>-3", stored one second apart, odd ones with tag "odd".
class ConsumeTest : public testing::Test {
 protected:
  ConsumeTest() {
    cluster_.add_topic("orders", 2);
    for (int queue = 0; queue < 2; ++queue) {
      for (int i = 0; i < 4; ++i) {
        TestMessage message;
        message.body = std::to_string(queue) + "-" + std::to_string(i);
        message.tag = i % 2 == 1 ? "odd" : "even";
        message.stored_ms += i * 1000;
        cluster_.add_message("orders", queue, message);
      }
    }
  }
  Ran consume(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"consume", "orders", "--body"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_gantry(cluster_, arguments);
  }
  FakeCluster cluster_;
};

TEST_F(ConsumeTest, ReadsWhatIsThereAndEnds) {
  const Ran ran = consume({});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(lines(ran.out),
              UnorderedElementsAre("0-0", "0-1", "0-2", "0-3", "1-0", "1-1", "1-2", "1-3"));
}

TEST_F(ConsumeTest, FromATimeOrAnOffset) {
  const std::string time = std::to_string(TestMessage{}.stored_ms + 2000);
  EXPECT_THAT(lines(consume({"--from", time}).out),
              UnorderedElementsAre("0-2", "0-3", "1-2", "1-3"));
  EXPECT_THAT(lines(consume({"--from", "offset:3"}).out), UnorderedElementsAre("0-3", "1-3"));
}

TEST_F(ConsumeTest, OneQueueInOrder) {
  EXPECT_THAT(lines(consume({"--queue", "broker-a:1"}).out),
              ElementsAre("1-0", "1-1", "1-2", "1-3"));
  EXPECT_EQ(consume({"--queue", "broker-a:7"}).code, 3);
}

TEST_F(ConsumeTest, StopsAtTheCount) {
  EXPECT_EQ(lines(consume({"--count", "3"}).out).size(), 3U);
  EXPECT_EQ(lines(consume({"--count", "3", "--follow"}).out).size(), 3U);
}

TEST_F(ConsumeTest, ChecksTagsItself) {
  EXPECT_THAT(lines(consume({"--tag", "odd"}).out),
              UnorderedElementsAre("0-1", "0-3", "1-1", "1-3"));
  const auto request = cluster_.server().requests(RequestCode::kPullMessage).at(0);
  EXPECT_EQ(request.find("subscription"), "odd");
}

TEST_F(ConsumeTest, AGroupGoesOnWhereItWas) {
  cluster_.set_offset("billing", "orders", 0, 2);
  Ran ran = consume({"--group", "billing"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(lines(ran.out), UnorderedElementsAre("0-2", "0-3", "1-0", "1-1", "1-2", "1-3"));
  EXPECT_EQ(cluster_.offset("billing", "orders", 0), 4);
  EXPECT_EQ(cluster_.offset("billing", "orders", 1), 4);
  ran = consume({"--group", "billing"});
  EXPECT_EQ(ran.out, "");
}

TEST_F(ConsumeTest, CommitsOnlyWhatWasPrinted) {
  const Ran ran = consume({"--group", "billing", "--queue", "broker-a:1", "--count", "3"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(cluster_.offset("billing", "orders", 1), 3);
  EXPECT_EQ(cluster_.offset("billing", "orders", 0), std::nullopt);
}

TEST_F(ConsumeTest, JsonIsOneDocumentALine) {
  const Ran ran = run_gantry(cluster_, {"consume", "orders", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  ASSERT_EQ(lines(ran.out).size(), 8U);
  for (const std::string& line : lines(ran.out)) {
    const json message = json::parse(line);
    EXPECT_EQ(message["topic"], "orders");
    EXPECT_EQ(message["broker"], "broker-a");
  }
}

TEST_F(ConsumeTest, WrongUsage) {
  EXPECT_EQ(consume({"--from", "whenever"}).code, 2);
  EXPECT_EQ(consume({"--tag", "a", "--sql", "b = 1"}).code, 2);
  EXPECT_EQ(consume({"--count", "0"}).code, 2);
  EXPECT_EQ(run_gantry(cluster_, {"consume", "nothing"}).code, 3);
}

TEST_F(ConsumeTest, ARefusalEndsIt) {
  cluster_.server().on(RequestCode::kPullMessage,
                       refuse(ResponseCode::kNoPermission, "not readable"));
  const Ran ran = consume({"--follow"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("not readable"));
}

TEST_F(ConsumeTest, ABrokerThatStaysBusyEndsIt) {
  cluster_.server().on(RequestCode::kPullMessage, refuse(ResponseCode::kSystemBusy));
  const Ran ran = consume({"--retry", "0"});
  EXPECT_EQ(ran.code, 1);
}

// A user who stops after the first message that comes while the command follows.
class StoppingBuffer final : public std::stringbuf {
 public:
  explicit StoppingBuffer(std::stop_source stop) : stop_(std::move(stop)) {}

 protected:
  int sync() override {
    if (str().find("0-4") != std::string::npos) stop_.request_stop();
    return 0;
  }

 private:
  std::stop_source stop_;
};

TEST_F(ConsumeTest, FollowsUntilStopped) {
  std::stop_source stop;
  StoppingBuffer buffer(stop);
  std::istringstream in;
  std::ostream out(&buffer);
  std::ostringstream err;
  cli::Environment environment{.in = in, .out = out, .err = err, .stop = stop.get_token()};
  // The message comes once the end has been reached.
  std::jthread producer([this] {
    while (cluster_.server().requests(RequestCode::kPullMessage).size() < 4) {
      std::this_thread::yield();
    }
    TestMessage message;
    message.body = "0-4";
    cluster_.add_message("orders", 0, message);
  });
  const int code = cli::run(
      {"--namesrv", cluster_.namesrv(), "consume", "orders", "--follow", "--body"}, environment);
  EXPECT_EQ(code, 0) << err.str();
  EXPECT_EQ(lines(buffer.str()).size(), 9U);
}

}  // namespace
}  // namespace gantry::test
