// SPDX-License-Identifier: Apache-2.0
// KVTable: {"table":{k:v}}, all texts. Body of 28, 219 and of the answer to 103.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::protocol {

struct KVTable {
  std::map<std::string, std::string, std::less<>> table;

  bool operator==(const KVTable&) const = default;

  std::string to_json() const;
  static Result<KVTable> from_json(std::string_view body);
};

}  // namespace gantry::protocol
