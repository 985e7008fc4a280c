// SPDX-License-Identifier: Apache-2.0
#include "store/key_index_merge.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace gantry::store {
namespace {

constexpr std::uint64_t kEntriesPerStep = 8192;

// A tournament tree that keeps the losers, so that replacing the winner is one pass from
// its leaf to the root. A key is hash << 32 | input: equal hashes come in input order, which
// is the order of positions.
class Tournament {
 public:
  static constexpr std::uint64_t kExhausted = std::numeric_limits<std::uint64_t>::max();

  explicit Tournament(std::span<const std::uint64_t> keys)
      : leaves_(std::bit_ceil(std::max<std::size_t>(keys.size(), 2))),
        losers_(leaves_, kExhausted),
        winner_(build(1, keys)) {}

  std::uint64_t winner() const { return winner_; }
  void replace_winner(std::size_t input, std::uint64_t key) {
    for (std::size_t node = (leaves_ + input) / 2; node > 0; node /= 2) {
      // Which one is less cannot be predicted, so this must not become a branch (min and max do).
      const std::uint64_t other = losers_[node];
      const std::uint64_t differ = key ^ other;
      key = other ^ (differ & (0U - static_cast<std::uint64_t>(key < other)));
      losers_[node] = differ ^ key;
    }
    winner_ = key;
  }

 private:
  std::uint64_t build(std::size_t node, std::span<const std::uint64_t> keys) {
    if (node >= leaves_) return node - leaves_ < keys.size() ? keys[node - leaves_] : kExhausted;
    const std::uint64_t a = build(2 * node, keys);
    const std::uint64_t b = build(2 * node + 1, keys);
    losers_[node] = std::max(a, b);
    return std::min(a, b);
  }

  const std::size_t leaves_;
  std::vector<std::uint64_t> losers_;
  std::uint64_t winner_;
};

std::uint64_t advance(RunCursor& cursor, std::size_t input) {
  if (!cursor.next()) return Tournament::kExhausted;
  return (std::uint64_t{cursor.entry().hash} << 32) | input;
}

RunWriter::Spec spec_of(const MergeJob& job) {
  RunWriter::Spec spec;
  spec.level = job.level;
  spec.range = {job.inputs.front()->range().begin,
                std::min(job.inputs.back()->range().end, job.keep.end)};
  bool first = true;
  for (const RunPtr& run : job.inputs) {
    const RunHeader& h = run->header();
    if (h.entry_count == 0) continue;
    spec.oldest_ms = first ? h.oldest_ms : std::min(spec.oldest_ms, h.oldest_ms);
    spec.newest_ms = first ? h.newest_ms : std::max(spec.newest_ms, h.newest_ms);
    first = false;
  }
  return spec;
}

// The first input that failed, once all are exhausted.
const RunCursor* failed_input(std::span<const RunCursor> cursors) {
  const auto failed = std::ranges::find_if(cursors, [](const auto& c) { return !c.status(); });
  return failed == cursors.end() ? nullptr : &*failed;
}

Result<void> copy(const MergeJob& job, std::span<RunCursor> cursors, RunWriter& writer) {
  std::vector<std::uint64_t> keys;
  for (std::size_t i = 0; i < cursors.size(); ++i) keys.push_back(advance(cursors[i], i));
  Tournament tournament(keys);
  while (tournament.winner() != Tournament::kExhausted) {
    if (!writer.status()) return writer.status();
    if (job.go_on && !job.go_on()) return make_error(ErrorCode::kUnavailable, "merge abandoned");
    for (std::uint64_t n = 0; n < kEntriesPerStep; ++n) {
      if (tournament.winner() == Tournament::kExhausted) break;
      const auto input = static_cast<std::size_t>(tournament.winner() & 0xFFFFFFFFU);
      RunCursor& cursor = cursors[input];
      const KeyEntry& e = cursor.entry();
      if (e.position >= job.keep.begin && e.position < job.keep.end) writer.add(e);
      tournament.replace_winner(input, advance(cursor, input));
    }
  }
  return {};
}

}  // namespace

MergeOutcome merge_runs(io::FileSystem& fs, const std::string& directory, const MergeJob& job) {
  auto writer = RunWriter::create(fs, directory, spec_of(job));
  if (!writer) return {std::unexpected(std::move(writer).error()), nullptr, 0};
  std::vector<RunCursor> cursors;
  cursors.reserve(job.inputs.size());
  for (const RunPtr& run : job.inputs) cursors.emplace_back(run);
  const auto copied = copy(job, cursors, **writer);
  if (const RunCursor* failed = failed_input(cursors)) {
    return {std::unexpected(failed->status().error()), failed->run(), (*writer)->bytes_written()};
  }
  if (!copied) return {std::unexpected(copied.error()), nullptr, (*writer)->bytes_written()};
  auto run = (*writer)->finish();
  return {std::move(run), nullptr, (*writer)->bytes_written()};
}

}  // namespace gantry::store
