// SPDX-License-Identifier: Apache-2.0
// What the key index costs: per entry on the log shard (hash and append) and on its worker thread
// (sort, write and all merges), the bytes it writes for each entry, and a query.
// GANTRY_BENCH_DIR is where the files go (default: the temporary directory).
#include <benchmark/benchmark.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "store/key_index.h"
#include "store/key_index_hash.h"

namespace gantry::store {
namespace {

// CPU time of this thread, so that other work on the machine counts less.
double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

constexpr std::string_view kTopic = "order-created-topic";
constexpr std::int64_t kRecordBytes = 400;
constexpr std::int64_t kStartMs = 1'700'000'000'000;
constexpr std::size_t kBatch = 256 * 1024;  // entries between waits for the worker
constexpr std::chrono::minutes kWait(5);

class Directory {
 public:
  Directory() {
    const char* base = std::getenv("GANTRY_BENCH_DIR");
    const std::filesystem::path parent =
        base != nullptr ? base : std::filesystem::temp_directory_path();
    path_ = (parent / ("gantry-key-index-bench-" + std::to_string(::getpid()))).string();
    std::filesystem::remove_all(path_);
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Keys like a client's UNIQ_KEY. Few enough to stay cached: a record's keys are hot when it is fed.
std::vector<std::string> make_keys(std::size_t n) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < n; ++i) {
    std::string key = "7F0000010A2B18B4AAC2123456780000";
    std::size_t x = i * 2'654'435'761U;
    for (std::size_t digit = 0; digit < 12; ++digit, x >>= 4) key[31 - digit] = kDigits[x & 15];
    keys.push_back(std::move(key));
  }
  return keys;
}

void BM_KeyHash(benchmark::State& state) {
  const auto keys = make_keys(4096);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(key_hash(kTopic, keys[i++ & 4095]));
}
BENCHMARK(BM_KeyHash);

// Feeds `entries` entries, `keys_per_record` to a record. Returns the CPU seconds of put and
// advance; waits for the worker in between, so that nothing is dropped.
double feed(KeyIndex& index, const std::vector<std::string>& keys, std::size_t entries,
            std::size_t keys_per_record) {
  double seconds = 0;
  LogPosition position = index.feed_position();
  std::int64_t now_us = kStartMs * 1000;
  for (std::size_t done = 0; done < entries;) {
    const double start = cpu_seconds();
    for (const std::size_t end = done + kBatch; done < end;) {
      for (std::size_t k = 0; k < keys_per_record; ++k, ++done) {
        index.put(kTopic, keys[done & (keys.size() - 1)], position, now_us / 1000);
      }
      position += kRecordBytes;
      ++now_us;
      index.advance(position);
    }
    seconds += cpu_seconds() - start;
    if (index.stats().sealed_buffers > 1 && !index.wait_idle(kWait)) std::abort();
  }
  return seconds;
}

// range(0): millions of entries.
void BM_PutSealMerge(benchmark::State& state) {
  const auto keys = make_keys(4096);
  const auto entries = static_cast<std::size_t>(state.range(0)) << 20;
  KeyIndexStats stats;
  double put_seconds = 0;
  for (auto _ : state) {
    const Directory directory;
    auto index = KeyIndex::open(directory.path(), {});
    if (!index) std::abort();
    put_seconds = feed(**index, keys, entries, 2);
    state.SetIterationTime(put_seconds);
    if (!(*index)->flush(kWait) || !(*index)->wait_idle(kWait)) std::abort();
    stats = (*index)->stats();
    if (stats.dropped_entries != 0 || stats.entries < entries) std::abort();
  }
  const auto n = static_cast<double>(stats.written_entries);
  state.counters["put_ns"] = put_seconds * 1e9 / static_cast<double>(entries);
  state.counters["worker_ns"] = static_cast<double>(stats.worker_cpu_ns) / n;
  state.counters["written_B"] = static_cast<double>(stats.written_bytes) / n;
  state.counters["stored_B"] = static_cast<double>(stats.run_bytes) / n;
  state.counters["runs"] = static_cast<double>(stats.runs);
}
BENCHMARK(BM_PutSealMerge)
    ->Arg(2)
    ->Arg(16)
    ->Arg(64)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

// A key that is not there, over all runs and a full buffer; everything is in the page cache.
void BM_Query(benchmark::State& state) {
  const auto keys = make_keys(4096);
  const Directory directory;
  auto index = KeyIndex::open(directory.path(), {});
  if (!index) std::abort();
  feed(**index, keys, static_cast<std::size_t>(state.range(0)) << 20, 2);
  if (!(*index)->wait_idle(kWait)) std::abort();
  for (auto _ : state) {
    benchmark::DoNotOptimize((*index)->query({.topic = kTopic, .key = "no such key"}));
  }
  state.counters["runs"] = static_cast<double>((*index)->stats().runs);
}
BENCHMARK(BM_Query)->Arg(15)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace gantry::store

BENCHMARK_MAIN();
