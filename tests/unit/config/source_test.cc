// SPDX-License-Identifier: Apache-2.0
#include "config/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temporary_file.h"

namespace gantry::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(Source, the_name_decides_about_the_syntax) {
  EXPECT_EQ(syntax_of("a/broker.yaml"), Syntax::kYaml);
  EXPECT_EQ(syntax_of("broker.yml"), Syntax::kYaml);
  EXPECT_EQ(syntax_of("broker.conf"), Syntax::kProperties);
  EXPECT_EQ(syntax_of("broker.properties"), Syntax::kProperties);
  // The same text means different things.
  const TemporaryFile yaml(".yaml", "a: \"1\"\n");
  const TemporaryFile properties(".conf", "a: \"1\"\n");
  EXPECT_EQ(load_entries(yaml.path())->front().value, "1");
  EXPECT_EQ(load_entries(properties.path())->front().value, "\"1\"");
}

TEST(Source, errors_begin_with_the_file) {
  const TemporaryFile file(".conf", "a=1\nb=\\u1\n");
  const auto entries = load_entries(file.path());
  ASSERT_FALSE(entries);
  EXPECT_THAT(entries.error().message, StartsWith(file.path() + ":2: "));

  const auto missing = load_entries("/nonexistent/broker.conf");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kIo);
  EXPECT_EQ(missing.error().message, "/nonexistent/broker.conf: No such file or directory");

  const auto directory = load_entries("/");
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().message, HasSubstr("is a directory"));
}

TEST(Source, huge_files_are_refused) {
  const TemporaryFile fits(".conf", "a=" + std::string((1 << 20) - 2, 'x'));
  EXPECT_TRUE(load_entries(fits.path()));
  const TemporaryFile huge(".conf", "a=" + std::string((1 << 20) - 1, 'x'));
  const auto entries = load_entries(huge.path());
  ASSERT_FALSE(entries);
  EXPECT_THAT(entries.error().message, HasSubstr("larger than 1 MiB"));
}

}  // namespace
}  // namespace gantry::config
