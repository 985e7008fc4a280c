// SPDX-License-Identifier: Apache-2.0
// Headers of frames between members: whatever decodes encodes to the same value. The first two
// bytes say how many bytes the frame's body has.
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "peer/codec.h"

using namespace gantry;  // NOLINT: a test program

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t body = static_cast<std::size_t>(data[0]) << 8 | data[1];
  const std::string_view header(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto decoded = peer::decode(header, body);
  if (!decoded) {
    if (decoded.error().message.empty()) std::abort();
    return 0;
  }
  const std::string bytes =
      std::visit([](const auto& value) { return peer::encode(value); }, *decoded);
  const auto again = peer::decode(bytes, body);
  if (!again || !(*again == *decoded)) std::abort();
  return 0;
}
