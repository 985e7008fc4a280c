// SPDX-License-Identifier: Apache-2.0
// Response body of GET_CONSUMER_LIST_BY_GROUP (38).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gantry::protocol {

struct ConsumerList {
  std::vector<std::string> consumer_ids;  // wire name: consumerIdList

  bool operator==(const ConsumerList&) const = default;

  std::string to_json() const;
  static Result<ConsumerList> from_json(std::string_view body);
};

}  // namespace gantry::protocol
