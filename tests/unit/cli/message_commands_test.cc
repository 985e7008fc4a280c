// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "protocol/message_id.h"
#include "tests/unit/cli/fake_cluster.h"

namespace gantry::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class MessageTest : public testing::Test {
 protected:
  MessageTest() {
    cluster_.add_topic("orders", 2);
    TestMessage message;
    message.unique_id = "AC11000200B413B0AAC2A5B1B3E00000";
    message.tag = "paid";
    message.keys = "order-1 order-2";
    message.properties = {{"color", "red"}};
    cluster_.add_message("orders", 1, {});
    cluster_.add_message("orders", 1, message);
  }

  FakeCluster cluster_;
};

TEST_F(MessageTest, ByUniqueId) {
  const Ran ran = run_gantry(cluster_, {"message", "get", "AC11000200B413B0AAC2A5B1B3E00000",
                                        "--topic", "orders", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["queue"], 1);
  EXPECT_EQ(shown["offset"], 1);
  EXPECT_EQ(shown["tag"], "paid");
  EXPECT_EQ(shown["body"], "hello");
  EXPECT_EQ(shown["properties"]["color"], "red");
}

TEST_F(MessageTest, AUniqueIdNeedsItsTopic) {
  const Ran ran = run_gantry(cluster_, {"message", "get", "AC11000200B413B0AAC2A5B1B3E00000"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("--topic TOPIC"));
}

TEST_F(MessageTest, ByOffsetId) {
  const auto host = protocol::RecordHost::parse("127.0.0.1", cluster_.server().port()).value();
  const std::string id = protocol::message_id(host, LogPosition(0));
  const Ran ran = run_gantry(cluster_, {"message", "get", id});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr(id));
  EXPECT_THAT(ran.out, HasSubstr("\nhello\n"));
  EXPECT_EQ(
      run_gantry(cluster_, {"message", "get", protocol::message_id(host, LogPosition(7))}).code, 3);
}

TEST_F(MessageTest, ByPlace) {
  Ran ran = run_gantry(cluster_, {"message", "get", "--topic", "orders", "--queue", "broker-a:1",
                                  "--offset", "1", "--body"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "hello");
  ran = run_gantry(
      cluster_, {"message", "get", "--topic", "orders", "--queue", "broker-a:1", "--offset", "2"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("holds offsets 0 to 1"));
  EXPECT_EQ(run_gantry(cluster_, {"message", "get", "--topic", "orders", "--queue", "broker-b:0",
                                  "--offset", "0"})
                .code,
            3);
  EXPECT_EQ(run_gantry(cluster_, {"message", "get", "--topic", "orders"}).code, 2);
}

TEST_F(MessageTest, ByKey) {
  Ran ran = run_gantry(cluster_, {"message", "query", "-t", "orders", "-k", "order-2", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(json::parse(ran.out)["messages"].size(), 1U);
  ran = run_gantry(cluster_, {"message", "query", "-t", "orders", "-k", "order-2"});
  EXPECT_THAT(ran.out, HasSubstr("AC11000200B413B0AAC2A5B1B3E00000"));
  ran = run_gantry(cluster_, {"message", "query", "-t", "orders", "-k", "order-3"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(
      run_gantry(cluster_, {"message", "query", "-t", "orders", "-k", "x", "--from", "never"}).code,
      2);
}

TEST_F(MessageTest, ABinaryBodyIsBase64) {
  TestMessage message;
  message.body = std::string("\xff\x00\xfe", 3);
  message.unique_id = "BINARY";
  cluster_.add_message("orders", 0, message);
  const Ran ran = run_gantry(cluster_, {"message", "get", "BINARY", "-t", "orders", "--json"});
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["bodyBase64"], "/wD+");
  EXPECT_FALSE(shown.contains("body"));
}

}  // namespace
}  // namespace gantry::test
