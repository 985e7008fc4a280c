// SPDX-License-Identifier: Apache-2.0
// The body of a batch send: whatever comes, items lie inside the body and cover it exactly.
#include <cstdlib>
#include <string_view>

#include "protocol/batch.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto items = gantry::protocol::decode_batch(body);
  if (!items) return 0;
  std::size_t covered = 0;
  for (const auto& item : *items) covered += 22 + item.body.size() + item.properties.size();
  if (covered != size) std::abort();
  return 0;
}
