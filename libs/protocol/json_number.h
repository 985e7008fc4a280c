// SPDX-License-Identifier: Apache-2.0
// The number grammar of JSON.
#pragma once

#include <cstddef>
#include <string_view>

namespace gantry::protocol {

struct JsonNumber {
  std::size_t size = 0;  // bytes of the number; 0: there is none, and `what` says why
  bool whole = true;     // without fraction and exponent
  std::string_view what;
};

// Looks for a number at `p`. A number that a double cannot hold because it is too large is refused.
JsonNumber scan_json_number(const char* p, const char* end);

}  // namespace gantry::protocol
