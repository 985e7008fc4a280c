// SPDX-License-Identifier: Apache-2.0
// The body of a batch send: several messages of one topic, one after the other. Each item:
// totalSize, magic, bodyCRC, flag, bodyLen (int32 each), body, propertiesLen (int16), properties.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gantry::protocol {

struct BatchItem {
  std::int32_t flag = 0;
  std::string_view body;
  std::string_view properties;
};

// Views into `body`. kCorrupt names the item and what does not fit; an empty batch is an error.
Result<std::vector<BatchItem>> decode_batch(std::string_view body);

}  // namespace gantry::protocol
