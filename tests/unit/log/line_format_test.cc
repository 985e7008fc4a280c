// SPDX-License-Identifier: Apache-2.0
#include "log/line_format.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace gantry::log {
namespace {

// 2001-02-03T04:05:06.789Z
constexpr std::int64_t kAtUs = 981'173'106'789'000;

Line line_of(std::string_view message) {
  return {.level = Level::kInfo,
          .module = "raft",
          .message = message,
          .wall_us = kAtUs,
          .thread_id = 7};
}

std::string text_of(std::string_view message) {
  std::string out;
  append_text(out, line_of(message));
  return out;
}

std::string json_of(std::string_view message) {
  std::string out;
  append_json(out, line_of(message));
  return out;
}

TEST(LineFormat, text_has_time_level_and_module) {
  EXPECT_EQ(text_of("became leader term=3"),
            "2001-02-03T04:05:06.789Z info  raft: became leader term=3");
}

TEST(LineFormat, text_cannot_be_forged_by_line_breaks) {
  EXPECT_EQ(text_of("group=a\n2001 error x: b\r\t\x01\x7f"),
            "2001-02-03T04:05:06.789Z info  raft: group=a\\n2001 error x: b\\r\\t\\u0001\\u007f");
}

TEST(LineFormat, time_before_1970_and_far_ahead) {
  std::string out;
  append_text(out, {.level = Level::kWarn, .module = "m", .message = "x", .wall_us = -1});
  EXPECT_EQ(out, "1969-12-31T23:59:59.999Z warn  m: x");
}

TEST(LineFormat, json_is_one_object_with_all_fields) {
  const auto object = nlohmann::json::parse(json_of("became \"leader\" path=a\\b\n"));
  EXPECT_EQ(object["time"], "2001-02-03T04:05:06.789Z");
  EXPECT_EQ(object["level"], "info");
  EXPECT_EQ(object["module"], "raft");
  EXPECT_EQ(object["thread"], 7);
  EXPECT_EQ(object["msg"], "became \"leader\" path=a\\b\n");
  EXPECT_EQ(json_of("a\nb").find('\n'), std::string::npos);
}

TEST(LineFormat, json_keeps_utf8_and_replaces_what_is_not) {
  EXPECT_EQ(nlohmann::json::parse(json_of("\u00fc \u4e2d \U0001F600"))["msg"],
            "\u00fc \u4e2d \U0001F600");
  // A lone continuation byte, an overlong form, a surrogate, a value beyond Unicode, a cut
  // sequence.
  for (const char* bad : {"\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE4\xB8"}) {
    const std::string message = nlohmann::json::parse(json_of(bad))["msg"];
    EXPECT_TRUE(message.starts_with("\uFFFD")) << message;
  }
}

}  // namespace
}  // namespace gantry::log
