// SPDX-License-Identifier: Apache-2.0
// JSON command headers: the hand-written decoder must agree with nlohmann-json about every input,
// and what it accepts must survive encoding.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/unit/protocol/reference_header.h"

namespace {

using gantry::protocol::Command;
using gantry::protocol::CommandView;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

void check_round_trip(const std::string& header) {
  std::string frame(4, '\0');
  frame[1] = static_cast<char>(header.size() >> 16U);
  frame[2] = static_cast<char>(header.size() >> 8U);
  frame[3] = static_cast<char>(header.size());
  frame += header;
  CommandView first;
  if (!gantry::protocol::decode(std::span<char>(frame.data(), frame.size()), first)) return;
  const Command command = gantry::protocol::to_command(first);
  std::string bytes;
  gantry::protocol::encode(command, bytes);
  CommandView second;
  const auto again =
      gantry::protocol::decode(std::span<char>(bytes.data() + 4, bytes.size() - 4), second);
  if (!again) fail("our own header does not decode: " + again.error().message);
  if (second.code != first.code || second.opaque != first.opaque || second.flag != first.flag ||
      second.version != first.version) {
    fail("numbers change on the way");
  }
  if (command.ext != gantry::protocol::to_command(second).ext) fail("extFields change on the way");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string header(reinterpret_cast<const char*>(data), size);
  const std::string difference = gantry::protocol::compare_with_reference(header);
  if (!difference.empty()) fail(difference);
  check_round_trip(header);
  return 0;
}
