// SPDX-License-Identifier: Apache-2.0
// Runs tests/script/raft/*.txt. GANTRY_UPDATE_SCRIPTS=1 writes the traces anew: read them before
// they are committed. What raft::model::Checker demands has to hold in every script as well.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/script/raft_commands.h"
#include "tests/script/script_file.h"

namespace gantry::script {
namespace {

std::vector<std::filesystem::path> scripts() {
  std::vector<std::filesystem::path> result;
  for (const auto& entry : std::filesystem::directory_iterator(GANTRY_SCRIPTS "/raft")) {
    if (entry.path().extension() == ".txt") result.push_back(entry.path());
  }
  std::ranges::sort(result);
  return result;
}

class RaftScript : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(RaftScript, PrintsItsTrace) {
  RaftCommands commands;
  const bool update = std::getenv("GANTRY_UPDATE_SCRIPTS") != nullptr;
  const auto differences =
      run_file(GetParam(), update, [&](const std::string& line) { return commands.run(line); });
  for (const Difference& d : differences) {
    ADD_FAILURE() << GetParam().string() << ":" << d.line << "\n"
                  << d.commands << "---- expected\n"
                  << d.expected << "---- got\n"
                  << d.got;
  }
  EXPECT_FALSE(commands.violation()) << *commands.violation();
}

INSTANTIATE_TEST_SUITE_P(Scripts, RaftScript, ::testing::ValuesIn(scripts()),
                         [](const auto& script) {
                           std::string name = script.param.stem().string();
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace gantry::script
