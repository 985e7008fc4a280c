// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "config/source.h"

namespace gantry::config {
namespace {

std::string in_properties(std::string_view text, std::string_view key, std::string_view value) {
  const auto edited = set_value(text, Syntax::kProperties, key, value);
  return edited ? *edited : "error " + edited.error().message;
}

std::string in_yaml(std::string_view text, std::string_view key, std::string_view value) {
  const auto edited = set_value(text, Syntax::kYaml, key, value);
  return edited ? *edited : "error " + edited.error().message;
}

TEST(Edit, properties_keep_comments_and_order) {
  EXPECT_EQ(in_properties("# first\na = 1\n\n# second\nb = 2\n", "a", "9"),
            "# first\na=9\n\n# second\nb = 2\n");
  EXPECT_EQ(in_properties("a=1\r\nb=2\r\n", "b", "9"), "a=1\r\nb=9\n");
}

TEST(Edit, properties_replace_all_lines_of_a_continued_value) {
  EXPECT_EQ(in_properties("a=1;\\\n  2;\\\n  3\n# c\nb=2\n", "a", "9"), "a=9\n# c\nb=2\n");
}

TEST(Edit, properties_replace_the_value_that_counts) {
  EXPECT_EQ(in_properties("a=1\na=2\n", "a", "9"), "a=1\na=9\n");
}

TEST(Edit, properties_append_a_new_key) {
  EXPECT_EQ(in_properties("", "a", "1"), "a=1\n");
  EXPECT_EQ(in_properties("a=1", "b", "x\\y"), "a=1\nb=x\\\\y\n");
}

TEST(Edit, yaml_scalars_lists_and_new_keys) {
  EXPECT_EQ(in_yaml("# c\na: 1 # old\nb: 2\n", "a", "9"), "# c\na: \"9\"\nb: 2\n");
  EXPECT_EQ(in_yaml("a:\n  - x\n  - y\n\n# about b\nb: 2\n", "a", "z"),
            "a: \"z\"\n\n# about b\nb: 2\n");
  EXPECT_EQ(in_yaml("a: 1\n", "b", "say \"x\\y\""), "a: 1\nb: \"say \\\"x\\\\y\\\"\"\n");
  EXPECT_EQ(in_yaml("", "b", "1"), "b: \"1\"\n");
}

TEST(Edit, layouts_that_do_not_allow_it_are_refused_instead_of_damaged) {
  EXPECT_TRUE(in_yaml("{a: 1, b: 2}\n", "a", "9").starts_with("error the file's layout"));
  EXPECT_TRUE(in_properties("a=1\\", "b", "9").starts_with("error the file's layout"));
  EXPECT_TRUE(in_yaml("a: {b: 1}\n", "a", "9").starts_with("error 1: the value of"));
}

}  // namespace
}  // namespace gantry::config
