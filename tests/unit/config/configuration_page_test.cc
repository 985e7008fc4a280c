// SPDX-License-Identifier: Apache-2.0
// Keeps docs/operations/configuration.md equal to the tables of options. To write the tables anew:
//   GANTRY_UPDATE_DOCS=1 config_test --gtest_filter='ConfigurationPage.*'
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "config/options_markdown.h"

namespace gantry::config {
namespace {

const std::string kPage = GANTRY_SOURCE_DIR "/docs/operations/configuration.md";

std::string read_page() {
  std::ifstream file(kPage);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Position and length of what stands between the two marks of a section.
std::pair<std::size_t, std::size_t> section(const std::string& page, const std::string& name) {
  const std::string begin_mark =
      "<!-- " + name + " options: kept equal to the program by a unit test -->\n";
  const std::size_t mark = page.find(begin_mark);
  const std::size_t end = page.find("<!-- end of " + name + " options -->");
  if (mark == std::string::npos || end == std::string::npos) return {std::string::npos, 0};
  const std::size_t begin = mark + begin_mark.size();
  return {begin, end - begin};
}

void check(const std::string& name, const std::string& expected) {
  std::string page = read_page();
  const auto [begin, size] = section(page, name);
  ASSERT_NE(begin, std::string::npos) << "marks of " << name << " are missing in " << kPage;
  if (std::getenv("GANTRY_UPDATE_DOCS") != nullptr) {
    std::ofstream(kPage) << page.replace(begin, size, expected);
    return;
  }
  EXPECT_EQ(page.substr(begin, size), expected);
}

TEST(ConfigurationPage, lists_the_options_of_the_broker) {
  check("broker", broker_options_markdown());
}

TEST(ConfigurationPage, lists_the_options_of_the_namesrv) {
  check("namesrv", namesrv_options_markdown());
}

TEST(ConfigurationPage, lists_the_options_of_the_sidecar) {
  check("sidecar", sidecar_options_markdown());
}

}  // namespace
}  // namespace gantry::config
