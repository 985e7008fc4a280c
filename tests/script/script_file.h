// SPDX-License-Identifier: Apache-2.0
// A script: commands, each followed by the trace that it is expected to print.
//
//   # comment
//   command argument key=value
//   ----
//   expected trace, up to an empty line
//
// Several commands may stand above one trace.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace gantry::script {

struct Difference {
  int line = 0;  // of the commands
  std::string commands, expected, got;
};

// Runs the commands of a file in order. `update` writes what they print into the file instead of
// comparing it. Empty: everything was as expected.
std::vector<Difference> run_file(const std::filesystem::path& file, bool update,
                                 const std::function<std::string(const std::string&)>& command);

}  // namespace gantry::script
