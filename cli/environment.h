// SPDX-License-Identifier: Apache-2.0
// What the command line tool takes from its process, so that tests can run whole commands. Nothing
// here is owned.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"

namespace gantry::cli {

struct Environment {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool in_is_tty = false;   // a person can be asked
  bool err_is_tty = false;  // progress is shown
  std::function<std::optional<std::string>(const char* name)> variable{};
  std::stop_token stop{};  // the user wants to stop (SIGINT, SIGTERM)
  const Clock& clock = system_clock();
};

}  // namespace gantry::cli
