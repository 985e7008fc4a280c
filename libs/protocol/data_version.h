// SPDX-License-Identifier: Apache-2.0
// DataVersion: how RocketMQ tells whether two copies of a metadata table are the same one.
// Plain value; no thread rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::protocol {

struct DataVersion {
  std::int64_t state_version = 0;  // version of the state machine behind the table
  std::int64_t timestamp_ms = 0;   // Unix epoch ms of the last change
  std::int64_t counter = 0;        // changes since the table was made

  bool operator==(const DataVersion&) const = default;

  std::string to_json() const;
  static Result<DataVersion> from_json(std::string_view body);
};

}  // namespace gantry::protocol
