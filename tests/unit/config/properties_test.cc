// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/source.h"

namespace gantry::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Comparable form of an entry: "line key=value".
std::vector<std::string> read(std::string_view text) {
  const auto entries = parse_properties(text);
  if (!entries) return {"error " + entries.error().message};
  std::vector<std::string> shown;
  for (const Entry& entry : *entries) {
    shown.push_back(std::to_string(entry.line) + " " + entry.key + "=" + entry.value);
  }
  return shown;
}

TEST(Properties, separators_are_equals_colon_or_blanks) {
  EXPECT_THAT(read("a=1\nb:2\nc 3\nd = 4\ne\t:\t5\nf  6 7\n"),
              ElementsAre("1 a=1", "2 b=2", "3 c=3", "4 d=4", "5 e=5", "6 f=6 7"));
}

TEST(Properties, only_one_separator_is_taken) {
  EXPECT_THAT(read("a==1\nb = :2\nc : = 3\n"), ElementsAre("1 a==1", "2 b=:2", "3 c== 3"));
}

TEST(Properties, comments_and_empty_lines_are_skipped) {
  EXPECT_THAT(read("# a=1\n ! b=2\n\n \t\f\nc=3 # not a comment\n"),
              ElementsAre("5 c=3 # not a comment"));
}

TEST(Properties, keys_without_value_and_values_with_trailing_blanks) {
  EXPECT_THAT(read("a\nb=\n  c=x  \n=y\n"), ElementsAre("1 a=", "2 b=", "3 c=x  ", "4 =y"));
}

TEST(Properties, all_line_ends_count_as_one_line) {
  EXPECT_THAT(read("a=1\r\nb=2\rc=3\n\r\nd=4"), ElementsAre("1 a=1", "2 b=2", "3 c=3", "5 d=4"));
}

TEST(Properties, a_backslash_continues_the_line_without_the_next_indent) {
  EXPECT_THAT(read("a=1;\\\n    2;\\\r\n\t3\nb=4\n"), ElementsAre("1 a=1;2;3", "4 b=4"));
}

TEST(Properties, continuation_is_decided_by_the_number_of_backslashes) {
  EXPECT_THAT(read("a=1\\\\\nb=2\\\\\\\n3\n"), ElementsAre("1 a=1\\", "2 b=2\\3"));
}

TEST(Properties, a_continued_line_is_never_a_comment) {
  EXPECT_THAT(read("a=1\\\n#2\nb=3\\\n\nc=4\n"), ElementsAre("1 a=1#2", "3 b=3", "5 c=4"));
}

TEST(Properties, continuations_of_nothing) {
  EXPECT_THAT(read("\\\n# comment\na=1\n"), ElementsAre("3 a=1"));
  EXPECT_THAT(read("\\\n\na=1\n"), ElementsAre("3 a=1"));
  EXPECT_THAT(read("\\\na=1\n"), ElementsAre("1 a=1"));
}

TEST(Properties, a_backslash_at_the_end_of_the_file_stands_for_nothing) {
  EXPECT_THAT(read("a=1\\"), ElementsAre("1 a=1"));
  EXPECT_THAT(read("\\"), IsEmpty());
}

TEST(Properties, escapes) {
  EXPECT_THAT(read("a\\ b\\=c\\:d=1\\t2\\n3\\r4\\f5\\x6\\\\\n"),
              ElementsAre("1 a b=c:d=1\t2\n3\r4\f5x6\\"));
}

TEST(Properties, unicode_escapes_become_utf8) {
  EXPECT_THAT(read("a=\\u0041\\u00fc\\u4E2D\\ud83d\\ude00\n"),
              ElementsAre("1 a=A\u00fc\u4e2d\U0001F600"));
  EXPECT_THAT(read("a=\\ud83dx\\ude00\n"), ElementsAre("1 a=\uFFFDx\uFFFD"));
}

TEST(Properties, malformed_unicode_escapes_name_their_line) {
  for (const char* text : {"x=1\na=\\u12\n", "x=1\na=\\u12g4\n", "x=1\n\\u=1\n", "x=1\na=\\u"}) {
    EXPECT_THAT(read(text), ElementsAre(HasSubstr("error 2: \\u must be followed"))) << text;
  }
}

TEST(Properties, a_byte_order_mark_is_no_part_of_the_first_key) {
  EXPECT_THAT(read("\xEF\xBB\xBF"
                   "a=1\n"),
              ElementsAre("1 a=1"));
}

TEST(Properties, repeated_keys_are_all_listed) {
  EXPECT_THAT(read("a=1\na=2\n"), ElementsAre("1 a=1", "2 a=2"));
}

TEST(Properties, what_is_written_reads_back) {
  for (const std::string text : {"", " ", "plain", "  two leading", "trailing ", "a=b:c#d!e",
                                 "tab\tnew\nline\r\f", "back\\slash\\", "#x", "\u00fc\u4e2d"}) {
    std::string line;
    append_property(line, "k" + text, text);
    const auto entries = parse_properties(line);
    ASSERT_TRUE(entries && entries->size() == 1) << line;
    EXPECT_EQ(entries->front().key, "k" + text);
    EXPECT_EQ(entries->front().value, text);
  }
}

TEST(Properties, plain_values_are_written_plainly) {
  std::string line;
  append_property(line, "messageDelayLevel", "1s 5s 10s");
  EXPECT_EQ(line, "messageDelayLevel=1s 5s 10s\n");
}

}  // namespace
}  // namespace gantry::config
