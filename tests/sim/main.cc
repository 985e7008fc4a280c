// SPDX-License-Identifier: Apache-2.0
// raft_sim [--seeds N] [--seed S] [--list FILE] [--fresh N] [--verbose]: runs seeds S, S+1, … (N of
// them), those of a file, and then fresh ones. A seed that fails is printed and can be run again
// alone; its trace is the same.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "log/log.h"
#include "tests/sim/cluster.h"
#include "tests/sim/scenario.h"

using namespace gantry;  // NOLINT: a test program

namespace {

struct Totals {
  int passed = 0, failed = 0;
  std::uint64_t acknowledged = 0;
  std::int64_t virtual_ms = 0;
  std::map<std::string, int> faults;
  std::map<std::uint64_t, std::uint64_t> traces;  // by seed
};

void run(std::uint64_t seed, bool verbose, Totals& totals) {
  try {
    const simtest::RunResult result = simtest::run_seed(seed);
    // Equal seeds give equal runs, or a failure could not be looked into.
    const auto [trace, first] = totals.traces.emplace(seed, result.trace);
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
    fmt::print("seed {} FAILED: {}\n", seed, violation.what);
  }
  std::fflush(stdout);
}

// The first word of every line that is not a comment.
std::vector<std::uint64_t> read_seeds(const std::string& path) {
  std::vector<std::uint64_t> seeds;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::uint64_t seed = 0;
    if (std::istringstream(line) >> seed) seeds.push_back(seed);
  }
  return seeds;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs broker sets in a simulated, failing world."};
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  std::uint64_t fresh = 0;
  std::string list;
  bool verbose = false;
  bool logs = false;
  app.add_option("--seeds", seeds, "How many seeds, from --seed on");
  app.add_option("--seed", first, "The first seed");
  app.add_option("--list", list, "A file with further seeds, one a line, '#' for comments")
      ->check(CLI::ExistingFile);
  app.add_option("--fresh", fresh, "How many more seeds, chosen anew");
  app.add_flag("--verbose", verbose, "A line for each seed");
  app.add_flag("--logs", logs, "What the members log");
  CLI11_PARSE(app, argc, argv);
  log::set_level(logs ? log::Level::kDebug : log::Level::kOff);

  Totals totals;
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < seeds; ++i) run(first + i, verbose, totals);
  if (seeds > 0) run(first, verbose, totals);  // once more
  for (const std::uint64_t seed : read_seeds(list)) run(seed, verbose, totals);
  std::random_device device;
  for (std::uint64_t i = 0; i < fresh; ++i) {
    run((std::uint64_t{device()} << 16U) | 0xF000U, verbose, totals);
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  for (const auto& [name, count] : totals.faults) fmt::print("{:>8} {}\n", count, name);
  fmt::print("{} acknowledged messages, {} virtual minutes in {:.0f} s\n", totals.acknowledged,
             totals.virtual_ms / 60000, seconds);
  fmt::print("{} passed, {} failed\n", totals.passed, totals.failed);
  return totals.failed == 0 && totals.passed > 0 ? 0 : 1;
}
