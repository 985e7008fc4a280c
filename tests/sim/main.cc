// SPDX-License-Identifier: Apache-2.0
// raft_sim [--seeds N] [--seed S] [--generation G] [--list FILE] [--fresh N] [--verbose]: runs
// seeds S, S+1, … (N of them), those of a file, and then fresh ones. A seed that fails is printed
// and can be run again alone; its trace is the same.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
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

struct Totals {
  int passed = 0, failed = 0;
  std::uint64_t acknowledged = 0;
  std::int64_t virtual_ms = 0;
  std::map<std::string, int> faults;
  std::map<Run, std::uint64_t> traces;
};

void run(const Run& chosen, bool verbose, Totals& totals) {
  const auto [generation, seed] = chosen;
  try {
    const simtest::RunResult result = simtest::run_seed(seed, generation);
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
      fmt::print("seed {} acknowledged {} bytes {} trace {:016x}\n", seed, result.acknowledged,
                 result.committed_bytes, result.trace);
    }
  } catch (const simtest::Violation& violation) {
    ++totals.failed;
    fmt::print("seed {} of generation {} FAILED: {}\n", seed, static_cast<int>(generation),
               violation.what);
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

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs broker sets in a simulated, failing world."};
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  std::uint64_t fresh = 0;
  int generation = static_cast<int>(simtest::kNewestGeneration);
  std::string list;
  bool verbose = false;
  bool logs = false;
  app.add_option("--seeds", seeds, "How many seeds, from --seed on");
  app.add_option("--seed", first, "The first seed");
  app.add_option("--generation", generation,
                 "Which faults the seeds stand for; the newest has all");
  app.add_option("--list", list, "Further runs: a generation and a seed a line, '#' for comments")
      ->check(CLI::ExistingFile);
  app.add_option("--fresh", fresh, "How many more seeds, chosen anew");
  app.add_flag("--verbose", verbose, "A line for each seed");
  app.add_flag("--logs", logs, "What the members log");
  CLI11_PARSE(app, argc, argv);
  log::set_level(logs ? log::Level::kDebug : log::Level::kOff);

  Totals totals;
  const auto began = std::chrono::steady_clock::now();
  try {
    const Generation chosen = to_generation(generation);
    for (std::uint64_t i = 0; i < seeds; ++i) run({chosen, first + i}, verbose, totals);
    if (seeds > 0) run({chosen, first}, verbose, totals);  // once more
    for (const Run& kept : read_list(list)) run(kept, verbose, totals);
    std::random_device device;
    for (std::uint64_t i = 0; i < fresh; ++i) {
      run({chosen, (std::uint64_t{device()} << 16U) | 0xF000U}, verbose, totals);
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
