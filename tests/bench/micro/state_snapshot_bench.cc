// SPDX-License-Identifier: Apache-2.0
// What a state snapshot costs: encoding, writing to the disk, reading back and loading. The
// argument is the number of topics, each with eight queues whose offsets four groups keep.
// GANTRY_BENCH_DIR is where the file goes (default: the temporary directory).
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "state/commands.h"
#include "state/snapshot_store.h"
#include "state/state_machine.h"

namespace gantry::state {
namespace {

constexpr int kGroups = 4;
constexpr int kQueues = 8;
constexpr CommandStamp kStamp{1'700'000'000'000, Term(1)};

std::string topic_name(std::int64_t i) { return fmt::format("order-created-topic-{:06}", i); }

void fill(StateMachine& machine, std::int64_t topics) {
  LogPosition end;
  const auto apply = [&](const EncodedCommand& command) {
    end += static_cast<std::int64_t>(command.body.size());
    if (const auto done = machine.apply(end, command.body); !done) std::abort();
  };
  for (std::int64_t i = 0; i < topics; ++i) {
    protocol::TopicConfig config;
    config.topic_name = topic_name(i);
    config.read_queue_nums = config.write_queue_nums = kQueues;
    apply(put_topics_command(kStamp, {&config, 1}));
    std::vector<OffsetEntry> offsets;
    for (int group = 0; group < kGroups; ++group) {
      for (std::int32_t queue = 0; queue < kQueues; ++queue) {
        offsets.push_back({fmt::format("consumer-group-{}", group), config.topic_name, queue,
                           QueueOffset(1'000'000 + i)});
      }
    }
    apply(commit_offsets_command(kStamp, offsets));
  }
}

std::string directory() {
  const char* base = std::getenv("GANTRY_BENCH_DIR");
  const std::filesystem::path parent =
      base != nullptr ? base : std::filesystem::temp_directory_path();
  return (parent / ("gantry-snapshot-bench-" + std::to_string(::getpid()))).string();
}

void encode(benchmark::State& state) {
  StateMachine machine;
  fill(machine, state.range(0));
  std::size_t bytes = 0;
  for (auto _ : state) bytes = machine.serialize_snapshot().size();
  state.counters["MB"] = static_cast<double>(bytes) / 1e6;
}

void digest(benchmark::State& state) {
  StateMachine machine;
  fill(machine, state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(machine.digest());
}

void save(benchmark::State& state) {
  StateMachine machine;
  fill(machine, state.range(0));
  const std::string body = machine.serialize_snapshot();
  const std::string path = directory();
  SnapshotStore store(io::posix_file_system(), path);
  LogPosition position = machine.applied();
  for (auto _ : state) {
    if (!store.save(++position, body)) state.SkipWithError("not saved");
  }
  std::filesystem::remove_all(path);
}

void read(benchmark::State& state) {
  StateMachine machine;
  fill(machine, state.range(0));
  const std::string path = directory();
  SnapshotStore store(io::posix_file_system(), path);
  if (!store.save(machine.applied(), machine.serialize_snapshot())) std::abort();
  for (auto _ : state) {
    if (!store.load()->newest) state.SkipWithError("not there");
  }
  std::filesystem::remove_all(path);
}

void load(benchmark::State& state) {
  StateMachine machine;
  fill(machine, state.range(0));
  const std::string body = machine.serialize_snapshot();
  for (auto _ : state) {
    StateMachine loaded;
    if (!loaded.load_snapshot(body)) state.SkipWithError("not loaded");
  }
}

BENCHMARK(encode)->Arg(5'000)->Arg(50'000)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(digest)->Arg(50'000)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(save)->Arg(50'000)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(read)->Arg(50'000)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(load)->Arg(50'000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace gantry::state

BENCHMARK_MAIN();
