// SPDX-License-Identifier: Apache-2.0
// Whole frames without their length field, mostly with binary headers: whatever the bytes, decoding
// stays inside them, and an accepted binary header encodes back to the same command.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/command.h"

namespace {

using gantry::protocol::CommandView;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void expect_inside(std::string_view view, const std::string& frame) {
  if (view.empty()) return;
  if (view.data() < frame.data() || view.data() + view.size() > frame.data() + frame.size()) {
    fail("a view points outside of the frame");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string frame(reinterpret_cast<const char*>(data), size);
  CommandView view;
  if (!gantry::protocol::decode(std::span<char>(frame.data(), frame.size()), view)) return 0;
  expect_inside(view.body, frame);
  for (const auto& field : view.ext.all()) {
    expect_inside(field.key, frame);
    expect_inside(field.value, frame);
  }
  if (view.serialize_type != gantry::protocol::SerializeType::kRocketmq) return 0;
  const gantry::protocol::Command command = gantry::protocol::to_command(view);
  std::string bytes;
  gantry::protocol::encode_rocketmq(command, bytes);
  CommandView again;
  if (!gantry::protocol::decode(std::span<char>(bytes.data() + 4, bytes.size() - 4), again)) {
    fail("our own header does not decode");
  }
  const gantry::protocol::Command back = gantry::protocol::to_command(again);
  if (back.ext != command.ext || back.code != command.code || back.opaque != command.opaque ||
      back.flag != command.flag || back.version != command.version || back.body != command.body) {
    fail("the command changes on the way");
  }
  return 0;
}
