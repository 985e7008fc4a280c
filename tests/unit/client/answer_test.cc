// SPDX-License-Identifier: Apache-2.0
#include "client/answer.h"

#include <gtest/gtest.h>

namespace gantry::client {
namespace {

using protocol::Command;
using protocol::ResponseCode;

Command answer(ResponseCode code, std::string remark = {}) {
  return Command::response(protocol::to_int(code), std::move(remark));
}

TEST(Answer, SuccessIsNoError) {
  EXPECT_TRUE(require_success(answer(ResponseCode::kSuccess, "whatever"), "broker b"));
}

TEST(Answer, ErrorNamesSenderRemarkAndCode) {
  const Error error =
      error_of(answer(ResponseCode::kTopicNotExist, "topic[x] not exist"), "broker b:1");
  EXPECT_EQ(error.message, "broker b:1: topic[x] not exist (TOPIC_NOT_EXIST, 17)");
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
}

TEST(Answer, OnlyTheFirstLineOfARemarkIsShown) {
  const Error error =
      error_of(answer(ResponseCode::kSystemError, "it broke \nat com.example.Foo"), "broker b");
  EXPECT_EQ(error.message, "broker b: it broke (SYSTEM_ERROR, 1)");
}

TEST(Answer, WithoutRemarkTheCodeIsNamed) {
  EXPECT_EQ(error_of(answer(ResponseCode::kNoPermission), "broker b").message,
            "broker b: NO_PERMISSION (16)");
}

TEST(Answer, CodesFallIntoCategories) {
  const auto category = [](ResponseCode code) { return error_of(answer(code), "b").code; };
  EXPECT_EQ(category(ResponseCode::kQueryNotFound), ErrorCode::kNotFound);
  EXPECT_EQ(category(ResponseCode::kConsumerNotOnline), ErrorCode::kNotFound);
  EXPECT_EQ(category(ResponseCode::kSystemBusy), ErrorCode::kBusy);
  EXPECT_EQ(category(ResponseCode::kServiceNotAvailable), ErrorCode::kBusy);
  EXPECT_EQ(category(ResponseCode::kRequestCodeNotSupported), ErrorCode::kUnsupported);
  EXPECT_EQ(category(ResponseCode::kInvalidParameter), ErrorCode::kInvalidArgument);
}

TEST(Answer, FieldsAreChecked) {
  auto command = answer(ResponseCode::kSuccess);
  command.with("offset", 12).with("bad", "12x").with("text", "t");
  EXPECT_EQ(int_field(command, "offset", "b").value(), 12);
  EXPECT_EQ(int_field(command, "bad", "b").error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(int_field(command, "missing", "broker b").error().message,
            "broker b: the answer's field missing is missing");
  EXPECT_EQ(text_field(command, "text", "b").value(), "t");
  EXPECT_FALSE(text_field(command, "missing", "b"));
}

}  // namespace
}  // namespace gantry::client
