// SPDX-License-Identifier: Apache-2.0
// The whole tool but its process: parses the command line, runs the command, reports a failure.
#pragma once

#include <string>
#include <vector>

#include "cli/environment.h"

namespace gantry::cli {

// `arguments` without the program's name. Returns the exit code.
int run(const std::vector<std::string>& arguments, Environment& environment);

}  // namespace gantry::cli
