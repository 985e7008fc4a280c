// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/source.h"

namespace gantry::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> read(std::string_view text) {
  const auto entries = parse_yaml(text);
  if (!entries) return {"error " + entries.error().message};
  std::vector<std::string> shown;
  for (const Entry& entry : *entries) {
    shown.push_back(std::to_string(entry.line) + " " + entry.key + "=" + entry.value);
  }
  return shown;
}

TEST(Yaml, scalars_with_their_lines) {
  EXPECT_THAT(read("# comment\na: 1\n\nb: \"x: y\"\nc: true\nd:\n"),
              ElementsAre("2 a=1", "4 b=x: y", "5 c=true", "6 d="));
}

TEST(Yaml, lists_are_joined) {
  EXPECT_THAT(read("namesrvAddr:\n  - a:9876\n  - b:9876\nc: [1, 2]\n"),
              ElementsAre("1 namesrvAddr=a:9876;b:9876", "4 c=1;2"));
}

TEST(Yaml, an_empty_file_has_no_entries) {
  EXPECT_THAT(read(""), IsEmpty());
  EXPECT_THAT(read("# nothing\n"), IsEmpty());
}

TEST(Yaml, mistakes_name_their_line) {
  EXPECT_THAT(read("a: 1\nb: {c: 2}\n"), ElementsAre(HasSubstr("error 2: the value of \"b\"")));
  EXPECT_THAT(read("a: 1\nb: [[2]]\n"), ElementsAre(HasSubstr("error 2: the value of \"b\"")));
  EXPECT_THAT(read("a: 1\nb: 2\na: 3\n"), ElementsAre("error 3: key \"a\" is given twice"));
  EXPECT_THAT(read("a: 1\nb: ]\n"), ElementsAre(HasSubstr("error 2: ")));
  EXPECT_THAT(read("- a\n- b\n"), ElementsAre(HasSubstr("error 1: expected lines of the form")));
  EXPECT_THAT(read("plain text"), ElementsAre(HasSubstr("error 1: expected lines of the form")));
  EXPECT_THAT(read("[a]: 1\n"), ElementsAre(HasSubstr("error 1: a key must be")));
  EXPECT_THAT(read("a: 1\n---\nb: 2\n"), ElementsAre(HasSubstr("expected one YAML document")));
}

}  // namespace
}  // namespace gantry::config
