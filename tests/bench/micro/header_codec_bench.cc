// SPDX-License-Identifier: Apache-2.0
// Cost of one command header each way. The request is a SEND_MESSAGE_V2 with a JSON header of 361
// bytes, as a Java producer writes it.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "protocol/command.h"

namespace gantry::protocol {
namespace {

constexpr std::size_t kHeaderBytes = 361;
constexpr std::size_t kBodyBytes = 1024;

std::string send_header() {
  std::string header =
      R"({"code":310,"extFields":{"a":"bench_pg","b":"bench","c":"TBW102",)"
      R"("d":"4","e":"3","f":"0","g":"1700000000000","h":"0",)"
      R"("i":"UNIQ_KEY\u00017F00000100002A139A1F12D6A2B30000\u0002WAIT\u0001true\u0002TAGS\u0001TagA)"
      R"(","j":"0","k":"false","l":"0","m":"false","n":"broker-a"},"flag":0,"language":"JAVA",)"
      R"("opaque":123456,"serializeTypeCurrentRPC":"JSON","version":479})";
  if (header.size() > kHeaderBytes) std::abort();
  header.insert(header.find("TagA"), kHeaderBytes - header.size(), 'x');
  return header;
}

std::string frame_without_length(const std::string& header, std::size_t body_bytes) {
  std::string frame(4, '\0');
  frame[2] = static_cast<char>(header.size() >> 8U);
  frame[3] = static_cast<char>(header.size() & 0xFFU);
  return frame + header + std::string(body_bytes, 'b');
}

// Decoding unescapes in place, so each pass restores the frame first: a copy of its header part is
// in the figure (about 10 ns).
void decode_frames(benchmark::State& state, const std::string& frame) {
  const std::size_t restored = frame.size() - kBodyBytes;
  std::string copy = frame;
  CommandView view;
  for (auto _ : state) {
    std::memcpy(copy.data(), frame.data(), restored);
    if (!decode(std::span<char>(copy.data(), copy.size()), view)) state.SkipWithError("decode");
    benchmark::DoNotOptimize(view);
  }
}

void decode_send_json(benchmark::State& state) {
  decode_frames(state, frame_without_length(send_header(), kBodyBytes));
}
BENCHMARK(decode_send_json);

void decode_send_binary(benchmark::State& state) {
  std::string json = frame_without_length(send_header(), kBodyBytes);
  CommandView view;
  if (!decode(std::span<char>(json.data(), json.size()), view)) state.SkipWithError("decode");
  std::string binary;
  encode_rocketmq(to_command(view), binary);
  decode_frames(state, binary.substr(4));
}
BENCHMARK(decode_send_binary);

void write_send_response(benchmark::State& state) {
  std::string out;
  std::int32_t opaque = 0;
  for (auto _ : state) {
    if (out.size() > 65536) out.clear();
    ResponseWriter writer(out, 0, opaque++);
    writer.ext("msgId", "7F00000100002A9F000000000012D687");
    writer.ext("queueId", std::int64_t{3});
    writer.ext("queueOffset", std::int64_t{123456789});
    writer.finish(0);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(write_send_response);

}  // namespace
}  // namespace gantry::protocol

BENCHMARK_MAIN();
