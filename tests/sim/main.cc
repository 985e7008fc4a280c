// SPDX-License-Identifier: Apache-2.0
// raft_sim [--seeds N] [--seed S] [--generation G] [--list FILE] [--fresh N] [--until-failure]
// [--verbose]: runs seeds S, S+1, … (N of them), those of a file, and then fresh ones. A seed that
// fails is printed and can be run again alone; its trace is the same.
#include <fmt/core.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "log/log.h"
#include "tests/sim/cluster.h"
#include "tests/sim/scenario.h"

using namespace gantry;  // NOLINT: a test program

namespace {

using simtest::Generation;
using Run = std::pair<Generation, std::uint64_t>;  // and its seed

// What a run leaves behind adds up over thousands.
constexpr std::size_t kLeftBehindMax = 4 << 20;

struct Totals {
  int passed = 0, failed = 0;
  std::uint64_t acknowledged = 0;
  std::int64_t virtual_ms = 0;
  std::map<std::string, int> faults;
  std::map<Run, std::uint64_t> traces;
  std::optional<std::size_t> heap;  // in use after the first run
};

// The heap in use. Gives what the run has used back to the system, so that a process is as large as
// its largest run. With a sanitizer's allocator the numbers are zero, and the sanitizer looks for
// leaks itself.
std::size_t check_heap(Totals& totals) {
  malloc_trim(0);
  const std::size_t used = mallinfo2().uordblks + mallinfo2().hblkhd;
  if (!totals.heap) totals.heap = used;
  if (used <= *totals.heap + kLeftBehindMax) return used;
  const std::size_t left = used - *totals.heap;
  totals.heap = used;
  throw simtest::Violation{fmt::format("it left {} bytes of the heap behind", left)};
}

void failed(const Run& chosen, const std::string& why, Totals& totals) {
  ++totals.failed;
  const int generation = static_cast<int>(chosen.first);
  fmt::print("seed {} of generation {} FAILED: {}\n", chosen.second, generation, why);
  fmt::print("again: ./dev sim --seeds 1 --seed {} --generation {}\n", chosen.second, generation);
}

void run(const Run& chosen, bool verbose, Totals& totals) {
  const auto [generation, seed] = chosen;
  try {
    const simtest::RunResult result = simtest::run_seed(seed, generation);
    const std::size_t heap = check_heap(totals);
    // Equal seeds give equal runs, or a failure could not be looked into.
    const auto [trace, first] = totals.traces.emplace(chosen, result.trace);
    if (!first && trace->second != result.trace) {
      throw simtest::Violation{
          fmt::format("a second run went another way: trace {:016x}, then {:016x}", trace->second,
                      result.trace)};
    }
    ++totals.passed;
    totals.acknowledged += result.acknowledged;
    totals.virtual_ms += result.virtual_ms;
    for (const auto& [name, count] : result.faults) totals.faults[name] += count;
    if (verbose) {
      fmt::print("seed {} acknowledged {} bytes {} steps {} heap {} trace {:016x}\n", seed,
                 result.acknowledged, result.committed_bytes, result.steps, heap, result.trace);
    }
  } catch (const simtest::Violation& violation) {
    failed(chosen, violation.what, totals);
  } catch (const std::exception& error) {
    failed(chosen, fmt::format("threw {}", error.what()), totals);
  }
  std::fflush(stdout);
}

Generation to_generation(int number) {
  if (number < 1 || number > static_cast<int>(simtest::kNewestGeneration)) {
    throw std::runtime_error(fmt::format("there is no generation {}: expected 1 to {}", number,
                                         static_cast<int>(simtest::kNewestGeneration)));
  }
  return static_cast<Generation>(number);
}

// The first two words of every line that is not a comment: generation and seed.
std::vector<Run> read_list(const std::string& path) {
  std::vector<Run> runs;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    int generation = 0;
    std::uint64_t seed = 0;
    if (!(std::istringstream(line) >> generation >> seed)) {
      throw std::runtime_error(
          fmt::format("{}: expected 'generation seed …', got '{}'", path, line));
    }
    runs.emplace_back(to_generation(generation), seed);
  }
  return runs;
}

// Seeds beyond those that are run in order. Named before they run, so that even one that ends the
// process is known.
std::vector<Run> fresh_runs(Generation generation, std::uint64_t count) {
  constexpr std::uint64_t kFirstFresh = 1'000'000;
  std::vector<Run> runs;
  std::random_device device;
  for (std::uint64_t i = 0; i < count; ++i) runs.emplace_back(generation, kFirstFresh + device());
  if (!runs.empty()) fmt::print("fresh seeds of generation {}:", static_cast<int>(generation));
  for (const Run& run : runs) fmt::print(" {}", run.second);
  if (!runs.empty()) fmt::print("\n");
  std::fflush(stdout);
  return runs;
}

struct Options {
  std::uint64_t seeds = 100, first = 1, fresh = 0;
  int generation = static_cast<int>(simtest::kNewestGeneration);
  std::string list;
  bool until_failure = false, verbose = false, logs = false;
};

std::vector<Run> chosen_runs(const Options& options) {
  const Generation generation = to_generation(options.generation);
  std::vector<Run> runs;
  for (std::uint64_t i = 0; i < options.seeds; ++i) {
    runs.emplace_back(generation, options.first + i);
  }
  if (options.seeds > 0) runs.emplace_back(generation, options.first);  // once more
  for (const Run& kept : read_list(options.list)) runs.push_back(kept);
  for (const Run& fresh : fresh_runs(generation, options.fresh)) runs.push_back(fresh);
  return runs;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs broker sets in a simulated, failing world."};
  Options options;
  app.add_option("--seeds", options.seeds, "How many seeds, from --seed on");
  app.add_option("--seed", options.first, "The first seed");
  app.add_option("--generation", options.generation,
                 "Which faults the seeds stand for; the newest has all");
  app.add_option("--list", options.list,
                 "Further runs: a generation and a seed a line, '#' for comments")
      ->check(CLI::ExistingFile);
  app.add_option("--fresh", options.fresh, "How many more seeds, chosen anew");
  app.add_flag("--until-failure", options.until_failure, "No run after the first one that fails");
  app.add_flag("--verbose", options.verbose, "A line for each seed");
  app.add_flag("--logs", options.logs, "What the members log");
  CLI11_PARSE(app, argc, argv);
  log::set_level(options.logs ? log::Level::kDebug : log::Level::kOff);

  Totals totals;
  const auto began = std::chrono::steady_clock::now();
  try {
    for (const Run& chosen : chosen_runs(options)) {
      run(chosen, options.verbose, totals);
      if (options.until_failure && totals.failed > 0) break;
    }
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "raft_sim: {}\n", error.what());
    return 2;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  for (const auto& [name, count] : totals.faults) fmt::print("{:>8} {}\n", count, name);
  fmt::print("{} acknowledged messages, {} virtual minutes in {:.0f} s\n", totals.acknowledged,
             totals.virtual_ms / 60000, seconds);
  fmt::print("{} passed, {} failed\n", totals.passed, totals.failed);
  return totals.failed == 0 && totals.passed > 0 ? 0 : 1;
}
