// SPDX-License-Identifier: Apache-2.0
#include "tests/script/script_file.h"

#include <fstream>

namespace gantry::script {

std::vector<Difference> run_file(const std::filesystem::path& file, bool update,
                                 const std::function<std::string(const std::string&)>& command) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);

  std::vector<Difference> differences;
  std::string written;
  for (std::size_t i = 0; i < lines.size();) {
    if (lines[i].empty() || lines[i].starts_with('#')) {
      written += lines[i++] + "\n";
      continue;
    }
    Difference block{.line = static_cast<int>(i) + 1, .commands = {}, .expected = {}, .got = {}};
    while (i < lines.size() && !lines[i].empty() && lines[i] != "----") {
      block.commands += lines[i] + "\n";
      block.got += command(lines[i++]);
    }
    if (i < lines.size() && lines[i] == "----") ++i;
    while (i < lines.size() && !lines[i].empty()) block.expected += lines[i++] + "\n";
    if (block.got.empty()) block.got = "ok\n";
    written += block.commands + "----\n" + block.got;
    if (block.got != block.expected) differences.push_back(std::move(block));
  }
  if (!update) return differences;
  std::ofstream(file, std::ios::trunc) << written;
  return {};
}

}  // namespace gantry::script
