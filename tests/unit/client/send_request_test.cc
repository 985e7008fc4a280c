// SPDX-License-Identifier: Apache-2.0
#include "client/send_request.h"

#include <gtest/gtest.h>

#include "protocol/properties.h"

namespace gantry::client {
namespace {

using protocol::Command;
using protocol::ResponseCode;

OutgoingMessage message() {
  OutgoingMessage out;
  out.topic = "orders";
  out.body = "hello";
  return out;
}

TEST(PropertyText, HasWhatTheMessageHas) {
  OutgoingMessage out = message();
  out.tag = "paid";
  out.keys = {"k1", "k2"};
  out.delay_level = 3;
  out.sharding_key = "customer";
  out.properties = {{"color", "red"}};
  const auto text = property_text(out, "ID");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(protocol::find_property(*text, "UNIQ_KEY"), "ID");
  EXPECT_EQ(protocol::find_property(*text, "TAGS"), "paid");
  EXPECT_EQ(protocol::find_property(*text, "KEYS"), "k1 k2");
  EXPECT_EQ(protocol::find_property(*text, "DELAY"), "3");
  EXPECT_EQ(protocol::find_property(*text, "__SHARDINGKEY"), "customer");
  EXPECT_EQ(protocol::find_property(*text, "color"), "red");
  EXPECT_EQ(protocol::find_property(*text, "TIMER_DELIVER_MS"), std::nullopt);
}

TEST(PropertyText, RefusesWhatCannotTravel) {
  OutgoingMessage out = message();
  out.keys = {"two words"};
  EXPECT_FALSE(property_text(out, "ID"));
  out.keys = {};
  out.properties = {{"TAGS", "x"}};
  EXPECT_FALSE(property_text(out, "ID"));
  out.properties = {{"a", std::string("x\x01y")}};
  EXPECT_FALSE(property_text(out, "ID"));
  out.properties = {{"", "x"}};
  EXPECT_FALSE(property_text(out, "ID"));
  out.properties = {{"large", std::string(32'768, 'x')}};
  const auto large = property_text(out, "ID");
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::kInvalidArgument);
}

TEST(SendRequest, UsesTheShortNames) {
  const Command request = send_request(message(), "P", {"orders", "broker-a", 3}, "group", 1234);
  EXPECT_EQ(request.code, 310);
  EXPECT_EQ(request.find("a"), "group");
  EXPECT_EQ(request.find("b"), "orders");
  EXPECT_EQ(request.find("e"), "3");
  EXPECT_EQ(request.find("g"), "1234");
  EXPECT_EQ(request.find("i"), "P");
  EXPECT_EQ(request.find("m"), "false");
  EXPECT_EQ(request.find("n"), "broker-a");
  EXPECT_EQ(request.body, "hello");
}

Command stored(ResponseCode code) {
  return Command::response(protocol::to_int(code))
      .with("msgId", "ID")
      .with("queueId", 2)
      .with("queueOffset", 41);
}

TEST(SendAnswer, FourCodesMeanStored) {
  for (const auto code : {ResponseCode::kSuccess, ResponseCode::kFlushDiskTimeout,
                          ResponseCode::kFlushSlaveTimeout, ResponseCode::kSlaveNotAvailable}) {
    const auto receipt = parse_send_answer(stored(code), {"orders", "a", -1}, "broker");
    ASSERT_TRUE(receipt);
    EXPECT_EQ(receipt->status, code);
    EXPECT_EQ(receipt->queue.queue_id, 2);
    EXPECT_EQ(receipt->queue_offset, 41);
    EXPECT_EQ(receipt->offset_message_id, "ID");
  }
}

TEST(SendAnswer, OthersAreErrors) {
  const auto refused = parse_send_answer(
      Command::response(protocol::to_int(ResponseCode::kMessageIllegal), "too large"), {},
      "broker b");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "broker b: too large (MESSAGE_ILLEGAL, 13)");
  EXPECT_FALSE(parse_send_answer(Command::response(0), {}, "broker b"));
}

TEST(SendAnswer, SomeRefusalsAreWorthAnotherTry) {
  EXPECT_TRUE(is_retryable_send(protocol::to_int(ResponseCode::kSystemBusy)));
  EXPECT_TRUE(is_retryable_send(protocol::to_int(ResponseCode::kServiceNotAvailable)));
  EXPECT_FALSE(is_retryable_send(protocol::to_int(ResponseCode::kMessageIllegal)));
  EXPECT_FALSE(is_retryable_send(protocol::to_int(ResponseCode::kInvalidParameter)));
}

}  // namespace
}  // namespace gantry::client
