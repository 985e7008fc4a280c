// SPDX-License-Identifier: Apache-2.0
// Output for programs. Include from .cc files only.
#pragma once

#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/context.h"

namespace gantry::cli {

// Members come out in the order in which they were set.
using Json = nlohmann::ordered_json;

// Bytes that are not UTF-8 become U+FFFD: the output is always valid.
inline std::string to_line(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

inline void print_json(Context& context, const Json& document) {
  context.env.out << document.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace gantry::cli
