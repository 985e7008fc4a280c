// SPDX-License-Identifier: Apache-2.0
#include "protocol/json_lenient.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gantry::protocol {
namespace {

std::string error_of(std::string_view text) {
  const Result<JsonDocument> document = JsonDocument::parse(text);
  return document ? "" : document.error().message;
}

std::vector<std::string> keys(JsonNode node) {
  std::vector<std::string> out;
  node.for_each([&](JsonNode child) {
    out.emplace_back(child.key());
    return true;
  });
  return out;
}

TEST(LenientJson, StandardJson) {
  const std::string text =
      " {\"s\":\"a\\u00e9\\n\",\"n\":-1.5e3,\"t\":true,\"z\":null,\"l\":[1,[],{}]} ";
  const Result<JsonDocument> document = JsonDocument::parse(text);
  ASSERT_TRUE(document) << document.error().message;
  const JsonNode root = document->root();
  EXPECT_EQ(root.member("s")->text(), "a\xC3\xA9\n");
  EXPECT_EQ(root.member("n")->text(), "-1.5e3");
  EXPECT_EQ(root.member("t")->kind(), JsonKind::kBool);
  EXPECT_FALSE(root.member("z"));
  EXPECT_FALSE(root.member("absent"));
  int elements = 0;
  root.member("l")->for_each([&](JsonNode) { return ++elements < 10; });
  EXPECT_EQ(elements, 3);
}

TEST(LenientJson, KeysAsFastjsonWritesThem) {
  const std::string text = R"({0:"a",-1:"b",{"q":{"x":[1,2]}}:{"v":1},"plain":2})";
  const Result<JsonDocument> document = JsonDocument::parse(text);
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_THAT(keys(document->root()),
              testing::ElementsAre("0", "-1", R"({"q":{"x":[1,2]}})", "plain"));
  EXPECT_EQ(document->root().member(R"({"q":{"x":[1,2]}})")->member("v")->text(), "1");
}

TEST(LenientJson, LastDuplicateWins) {
  const Result<JsonDocument> document = JsonDocument::parse(R"({"a":1,"b":2,"a":3})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().member("a")->text(), "3");
}

TEST(LenientJson, Errors) {
  EXPECT_EQ(error_of(""), "JSON: expected a value at byte 0");
  EXPECT_EQ(error_of("{\"a\" 1}"), "JSON: expected ':' at byte 5");
  EXPECT_EQ(error_of("[1,]"), "JSON: comma before the end at byte 3");
  EXPECT_EQ(error_of("[1 2]"), "JSON: expected ',' or ']' at byte 3");
  EXPECT_EQ(error_of("{a:1}"), "JSON: expected a key at byte 1");
  EXPECT_EQ(error_of("{1.5:1"), "JSON: expected ',' or '}' at byte 6");
  EXPECT_EQ(error_of("1 1"), "JSON: text after the value at byte 2");
  EXPECT_EQ(error_of("\"\\x\""), "JSON: unknown escape in a string at byte 1");
  EXPECT_EQ(error_of("\"\x01\""), "JSON: control character in a string at byte 1");
  EXPECT_EQ(error_of("\"\xC3\""), "JSON: bytes that are not UTF-8 in a string at byte 1");
  EXPECT_EQ(error_of("\"ab"), "JSON: string without end at byte 3");
  EXPECT_EQ(error_of("01"), "JSON: text after the value at byte 1");
  EXPECT_EQ(error_of("tru"), "JSON: expected a value at byte 0");
}

TEST(LenientJson, ReferencesAreRefusedAsUnsupported) {
  const Result<JsonDocument> document = JsonDocument::parse(R"({"a":{},"b":{"$ref":"$.a"}})");
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, ErrorCode::kUnsupported);
}

TEST(LenientJson, DepthIsLimited) {
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_EQ(error_of(nested(64)), "");
  EXPECT_THAT(error_of(nested(65)), testing::HasSubstr("nested too deep"));
  std::string keys_in_keys;
  for (int i = 0; i < 1000; ++i) keys_in_keys += '{';
  EXPECT_THAT(error_of(keys_in_keys), testing::HasSubstr("nested too deep"));
}

TEST(LenientJson, NumberOfValuesIsLimited) {
  std::string text = "[";
  for (int i = 0; i < 4'000'000; ++i) text += "0,";
  text += "0]";
  EXPECT_THAT(error_of(text), testing::HasSubstr("more than 4 million values"));
}

}  // namespace
}  // namespace gantry::protocol
