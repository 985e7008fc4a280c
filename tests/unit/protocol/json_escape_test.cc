// SPDX-License-Identifier: Apache-2.0
#include "protocol/json_escape.h"

#include <gtest/gtest.h>

#include <string>

#include "protocol/json_scan.h"
#include "protocol/utf8.h"

namespace gantry::protocol {
namespace {

std::string escaped(std::string_view text) {
  std::string out = ">";
  append_json_escaped(out, text);
  return out.substr(1);
}

bool special_by_definition(int byte) {
  return byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';
}

TEST(JsonEscape, EveryByteAtEveryPlace) {
  for (const std::size_t size : {1U, 7U, 8U, 9U, 15U, 16U, 17U, 63U, 64U, 65U, 73U, 130U}) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      for (int byte = 0; byte < 256; ++byte) {
        text[at] = static_cast<char>(byte);
        ASSERT_EQ(is_plain_json_text(text), !special_by_definition(byte))
            << "byte " << byte << " at " << at << " of " << size;
      }
    }
  }
  EXPECT_TRUE(is_plain_json_text(""));
}

TEST(JsonEscape, MaskOfABlock) {
  for (std::size_t at = 0; at < kJsonBlock; ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string block(kJsonBlock, ' ');
      block[at] = static_cast<char>(byte);
      const std::uint64_t expected =
          special_by_definition(byte) ? std::uint64_t{1} << at : std::uint64_t{0};
      ASSERT_EQ(json_special_mask(block.data()), expected) << "byte " << byte << " at " << at;
    }
  }
}

TEST(JsonEscape, Text) {
  EXPECT_EQ(escaped("plain / text"), "plain / text");
  EXPECT_EQ(escaped("a\"b\\c"), "a\\\"b\\\\c");
  EXPECT_EQ(escaped("\b\f\n\r\t\x01\x1f\x7f"), "\\b\\f\\n\\r\\t\\u0001\\u001f\x7f");
  EXPECT_EQ(escaped(std::string_view("\0", 1)), "\\u0000");
  EXPECT_EQ(escaped("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"),
            "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(escaped("\xC3"), "\xEF\xBF\xBD");
}

TEST(Utf8, EveryCodePointAndItsCuts) {
  for (unsigned point = 0; point <= 0x10FFFF; point += point < 0x900 ? 1 : 37) {
    char bytes[4];
    const char* const end = utf8_put(bytes, point);
    const auto size = static_cast<std::size_t>(end - bytes);
    const bool surrogate = point >= 0xD800 && point < 0xE000;
    ASSERT_EQ(utf8_sequence_size(bytes, end), surrogate ? 0 : size) << point;
    if (size == 1) continue;
    ASSERT_EQ(utf8_sequence_size(bytes, end - 1), 0U) << point;
  }
}

TEST(Utf8, IllFormed) {
  for (const std::string_view text :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3\x28",
        "\xE2\x82\x28", "\xF0\x9F\x98\x28"}) {
    EXPECT_EQ(utf8_sequence_size(text.data(), text.data() + text.size()), 0U);
  }
}

}  // namespace
}  // namespace gantry::protocol
