// SPDX-License-Identifier: Apache-2.0
#include "store/key_index_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "key_index_test_util.h"
#include "store/key_index_merge.h"
#include "store/key_index_runs.h"

namespace gantry::store::test {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'700'000'000'000;

io::FileSystem& files() { return io::posix_file_system(); }

// Entries in log order: one to three for each record.
std::vector<KeyEntry> make_entries(std::uint32_t seed, std::size_t n, LogPosition begin,
                                   std::uint32_t hashes) {
  Random random(seed);
  std::vector<KeyEntry> entries;
  LogPosition position = begin;
  std::int64_t time = kNow;
  while (entries.size() < n) {
    const std::size_t keys = 1 + random() % 3;
    for (std::size_t k = 0; k < keys && entries.size() < n; ++k) {
      entries.push_back({random() % hashes, position, time});
    }
    position += 100 + random() % 1000;
    time += random() % 50;
  }
  return entries;
}

LogRange range_of(const std::vector<KeyEntry>& entries) {
  return {entries.front().position, entries.back().position + 1};
}

SealedBuffer seal(const std::vector<KeyEntry>& entries, LogRange range) {
  auto buffer = std::make_shared<KeyBuffer>(std::max<std::size_t>(entries.size(), 1));
  buffer->start(range.begin);
  buffer->accept(range.begin, range.end);
  if (!entries.empty()) buffer->set_time(entries.front().store_time_ms);
  for (const KeyEntry& e : entries) {
    EXPECT_TRUE(buffer->add(e.hash, e.position, e.store_time_ms));
  }
  return {buffer, entries.size(), range};
}

RunPtr write_run(const TestDirectory& dir, const std::vector<KeyEntry>& entries, LogRange range) {
  std::vector<std::uint64_t> order;
  std::vector<std::uint64_t> scratch;
  std::uint64_t bytes = 0;
  auto run = write_buffer(files(), dir.path(), seal(entries, range), order, scratch, bytes);
  EXPECT_TRUE(run.has_value()) << run.error().message;
  return *run;
}

std::vector<KeyEntry> read_all(const RunPtr& run) {
  std::vector<KeyEntry> entries;
  RunCursor cursor(run);
  while (cursor.next()) entries.push_back(cursor.entry());
  EXPECT_TRUE(cursor.status().has_value());
  return entries;
}

std::vector<KeyEntry> sorted(std::vector<KeyEntry> entries) {
  std::ranges::stable_sort(entries, {}, &KeyEntry::hash);
  return entries;
}

// What a search must find, newest first, a record once.
std::vector<LogPosition> expected(const std::vector<KeyEntry>& entries, std::uint32_t hash,
                                  std::size_t max, std::int64_t begin_ms, std::int64_t end_ms) {
  std::vector<LogPosition> found;
  for (auto e = entries.rbegin(); e != entries.rend() && found.size() < max; ++e) {
    const bool matches =
        e->hash == hash && e->store_time_ms >= begin_ms && e->store_time_ms <= end_ms;
    if (matches && (found.empty() || found.back() != e->position)) found.push_back(e->position);
  }
  return found;
}

TEST(KeyIndexSort, OrdersByHashAndKeepsTheOrderOfEqualOnes) {
  Random random(1);
  std::vector<std::uint64_t> order;
  std::vector<std::uint64_t> scratch;
  for (const std::size_t n : {0UL, 1UL, 2UL, 100UL, 2048UL, 50'000UL}) {
    std::vector<std::uint32_t> hashes(n);
    for (auto& h : hashes) h = random() >> (1 + 20 * (random() % 2));
    std::vector<std::uint64_t> want;
    for (std::size_t i = 0; i < n; ++i) want.push_back((std::uint64_t{hashes[i]} << 32) | i);
    std::ranges::sort(want);
    sort_by_hash(hashes, order, scratch);
    EXPECT_EQ(order, want) << n;
  }
}

TEST(KeyIndexRun, HoldsTheEntriesSortedAndFindsThem) {
  const TestDirectory dir;
  for (const std::uint32_t hashes : {1U, 7U, 3000U, 0x80000000U}) {
    const auto entries = make_entries(hashes, 5000, LogPosition(1 << 30), hashes);
    const RunPtr run = write_run(dir, entries, range_of(entries));
    EXPECT_EQ(read_all(run), sorted(entries));
    Random random(2);
    for (int i = 0; i < 300; ++i) {
      const std::uint32_t hash = i % 5 == 0 ? random() >> 1 : entries[random() % 5000].hash;
      const std::int64_t begin = i % 2 == 0 ? 0 : kNow + static_cast<int>(random() % 60'000);
      const std::int64_t end = i % 3 == 0 ? INT64_MAX : begin + static_cast<int>(random() % 60'000);
      const std::size_t max = 1 + random() % 64;
      KeySearch search(hash, max, begin, end, LogPosition(0));
      ASSERT_TRUE(run->search(search).has_value());
      EXPECT_EQ(search.take(), expected(entries, hash, max, begin, end));
    }
  }
}

TEST(KeyIndexRun, HeaderTellsRangeTimesAndNewestEntry) {
  const TestDirectory dir;
  const auto entries = make_entries(3, 1000, LogPosition(5000), 1U << 30);
  const LogRange range{LogPosition(4000), entries.back().position + 777};
  const RunHeader h = write_run(dir, entries, range)->header();
  EXPECT_EQ(h.range, range);
  EXPECT_EQ(h.level, 0U);
  EXPECT_EQ(h.entry_count, 1000U);
  EXPECT_EQ(h.oldest_ms, entries.front().store_time_ms);
  EXPECT_EQ(h.newest_ms, entries.back().store_time_ms);
  EXPECT_EQ(h.last_position, entries.back().position);
  EXPECT_EQ(h.last_ms, entries.back().store_time_ms);
  // 1,000 records of about 600 bytes in about 25 s: three bytes and two.
  EXPECT_EQ(h.layout, (RunLayout{3, 2}));
  EXPECT_THAT(dir.names(), ElementsAreArray({"00000000000000004000-0.run"}));
}

TEST(KeyIndexRun, ExtremeValues) {
  const TestDirectory dir;
  const LogPosition top(INT64_MAX - 10);
  const std::vector<KeyEntry> wide{{0, top + 1, -5}, {0x7FFFFFFF, top + 2, 5}, {0, top + 3, 0}};
  const RunPtr run = write_run(dir, wide, {top, kLogPositionMax});
  EXPECT_EQ(read_all(run), sorted(wide));
  // All in one millisecond: no bytes for the time at all.
  const std::vector<KeyEntry> narrow{{9, LogPosition(0), 7}, {8, LogPosition(1), 7}};
  const RunPtr small = write_run(dir, narrow, {LogPosition(0), LogPosition(2)});
  EXPECT_EQ(small->header().layout, (RunLayout{1, 0}));
  EXPECT_EQ(read_all(small), sorted(narrow));
  // A range without any key.
  const RunPtr empty = write_run(dir, {}, {LogPosition(100), LogPosition(200)});
  EXPECT_TRUE(read_all(empty).empty());
  KeySearch search(9, 64, 0, INT64_MAX, LogPosition(0));
  EXPECT_TRUE(empty->search(search).has_value());
  EXPECT_TRUE(search.take().empty());
}

// Nothing that happens to a file may lead to a wrong answer: it is right, or it is an error.
TEST(KeyIndexRun, EveryDamagedByteIsNoticed) {
  const TestDirectory dir;
  const auto entries = make_entries(4, 900, LogPosition(0), 60);
  const RunPtr run = write_run(dir, entries, range_of(entries));
  const std::string good = read_bytes(run->path());
  ASSERT_GT(run->header().block_count(), 1U);
  Random random(5);
  std::size_t noticed = 0;
  for (std::size_t at = 0; at < good.size(); at += at < 100 ? 1 : 61) {
    flip_bit(run->path(), at, random() % 8);
    const auto opened = RunFile::open(files(), run->path());
    if (!opened) {
      EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
      EXPECT_THAT(opened.error().message, HasSubstr(run->path()));
      ++noticed;
      write_bytes(run->path(), good);
      continue;
    }
    bool failed = false;
    for (std::uint32_t hash = 0; hash < 60; ++hash) {
      KeySearch search(hash, 1000, 0, INT64_MAX, LogPosition(0));
      if ((*opened)->search(search)) {
        EXPECT_EQ(search.take(), expected(entries, hash, 1000, 0, INT64_MAX)) << at;
      } else {
        failed = true;
      }
    }
    // Only the unused rest of the header page has no checksum.
    EXPECT_TRUE(failed || (at >= 88 && at < kRunHeaderBytes)) << at;
    noticed += failed ? 1 : 0;
    write_bytes(run->path(), good);
  }
  EXPECT_GT(noticed, 150U);
}

TEST(KeyIndexRun, EveryOtherSizeIsRefused) {
  const TestDirectory dir;
  const auto entries = make_entries(6, 900, LogPosition(0), 60);
  const RunPtr run = write_run(dir, entries, range_of(entries));
  const std::string good = read_bytes(run->path());
  for (std::size_t size = 0; size < good.size(); size += 97) {
    write_bytes(run->path(), good.substr(0, size));
    EXPECT_FALSE(RunFile::open(files(), run->path()).has_value()) << size;
  }
  write_bytes(run->path(), good + "x");
  EXPECT_FALSE(RunFile::open(files(), run->path()).has_value());
  write_bytes(run->path(), good);
  EXPECT_TRUE(RunFile::open(files(), run->path()).has_value());
}

// A header that is consistent with its checksum but not with itself or the file.
TEST(KeyIndexRun, HeadersThatMakeNoSenseAreRefused) {
  RunHeader h;
  h.range = {LogPosition(10), LogPosition(20)};
  h.entry_count = 3;
  h.oldest_ms = 5;
  h.newest_ms = 9;
  h.last_position = LogPosition(19);
  h.last_ms = 9;
  h.layout = {1, 1};
  const auto decodes = [](const RunHeader& header, std::int64_t bytes) {
    return decode_run_header(encode_run_header(header), bytes).has_value();
  };
  ASSERT_TRUE(decodes(h, h.file_bytes()));
  EXPECT_EQ(*decode_run_header(encode_run_header(h), h.file_bytes()), h);
  EXPECT_FALSE(decodes(h, h.file_bytes() + 1));
  const auto refused = [&](auto change) {
    RunHeader bad = h;
    change(bad);
    return !decodes(bad, bad.layout.position_bytes > 8 ? h.file_bytes() : bad.file_bytes());
  };
  EXPECT_TRUE(refused([](RunHeader& x) { x.range.end = x.range.begin; }));
  EXPECT_TRUE(refused([](RunHeader& x) { x.range.begin = LogPosition(-1); }));
  EXPECT_TRUE(refused([](RunHeader& x) { x.newest_ms = 4; }));
  EXPECT_TRUE(refused([](RunHeader& x) { x.last_position = LogPosition(20); }));
  EXPECT_TRUE(refused([](RunHeader& x) { x.last_ms = 10; }));
  EXPECT_TRUE(refused([](RunHeader& x) { x.layout.position_bytes = 9; }));
  EXPECT_TRUE(refused([](RunHeader& x) { x.entry_count = UINT64_MAX - 5; }));
}

TEST(KeyIndexRun, FileNames) {
  EXPECT_EQ(run_file_name(LogPosition(1234), 2), "00000000000000001234-2.run");
  const auto parsed = parse_run_file_name("00000000000000001234-12.run");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->begin, LogPosition(1234));
  EXPECT_EQ(parsed->level, 12U);
  for (const auto* name : {"", ".run", "1234-2.run", "00000000000000001234-.run",
                           "00000000000000001234-2", "0000000000000000123x-2.run",
                           "00000000000000001234-2x.run", "00000000000000001234-2.run.tmp",
                           "99999999999999999999-0.run", "-0000000000000001234-2.run"}) {
    EXPECT_FALSE(parse_run_file_name(name).has_value()) << name;
  }
}

// ---- Merging

std::vector<RunPtr> write_neighbours(const TestDirectory& dir, std::size_t runs, std::size_t n,
                                     std::uint32_t hashes, std::vector<KeyEntry>& all) {
  std::vector<RunPtr> written;
  LogPosition begin(1000);
  for (std::uint32_t i = 0; i < runs; ++i) {
    const auto entries = make_entries(100 + i, n, begin, hashes);
    const LogRange range{begin, entries.back().position + 50};
    written.push_back(write_run(dir, entries, range));
    all.insert(all.end(), entries.begin(), entries.end());
    begin = range.end;
  }
  return written;
}

TEST(KeyIndexMerge, IsTheSortedUnionWhateverTheNumberOfInputs) {
  for (const std::size_t runs : {1UL, 2UL, 3UL, 5UL, 8UL, 11UL}) {
    const TestDirectory dir;
    std::vector<KeyEntry> all;
    const auto inputs = write_neighbours(dir, runs, 1000, 300, all);
    const auto outcome =
        merge_runs(files(), dir.path(), {.inputs = inputs, .level = 1, .go_on = {}});
    ASSERT_TRUE(outcome.run.has_value()) << outcome.run.error().message;
    EXPECT_EQ(read_all(*outcome.run), sorted(all));
    const RunHeader& h = (*outcome.run)->header();
    EXPECT_EQ(h.level, 1U);
    EXPECT_EQ(h.range, (LogRange{inputs.front()->range().begin, inputs.back()->range().end}));
    EXPECT_EQ(h.last_position, all.back().position);
  }
}

TEST(KeyIndexMerge, LeavesOutWhatIsNotToBeKept) {
  const TestDirectory dir;
  std::vector<KeyEntry> all;
  const auto inputs = write_neighbours(dir, 3, 500, 40, all);
  const LogRange keep{all[200].position, all[1300].position};
  const auto outcome =
      merge_runs(files(), dir.path(), {.inputs = inputs, .level = 4, .keep = keep, .go_on = {}});
  ASSERT_TRUE(outcome.run.has_value());
  std::erase_if(
      all, [&](const KeyEntry& e) { return e.position < keep.begin || e.position >= keep.end; });
  EXPECT_EQ(read_all(*outcome.run), sorted(all));
  EXPECT_EQ((*outcome.run)->range(), (LogRange{LogPosition(1000), keep.end}));
}

TEST(KeyIndexMerge, NamesTheDamagedInputAndLeavesNothingBehind) {
  const TestDirectory dir;
  std::vector<KeyEntry> all;
  const auto inputs = write_neighbours(dir, 3, 2000, 40, all);
  flip_bit(inputs[1]->path(), kRunHeaderBytes + 2 * kRunBlockBytes + 99, 0);
  const auto outcome = merge_runs(files(), dir.path(), {.inputs = inputs, .level = 1, .go_on = {}});
  ASSERT_FALSE(outcome.run.has_value());
  EXPECT_EQ(outcome.run.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(outcome.damaged, inputs[1]);
  EXPECT_EQ(dir.names().size(), 3U);
}

TEST(KeyIndexMerge, CanBeAbandoned) {
  const TestDirectory dir;
  std::vector<KeyEntry> all;
  const auto inputs = write_neighbours(dir, 2, 20'000, 1U << 30, all);
  int asked = 0;
  const auto outcome = merge_runs(
      files(), dir.path(), {.inputs = inputs, .level = 1, .go_on = [&] { return ++asked < 3; }});
  ASSERT_FALSE(outcome.run.has_value());
  EXPECT_EQ(outcome.run.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(outcome.damaged, nullptr);
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(dir.names().size(), 2U);
}

// ---- What to merge

// Runs of one entry each; `levels` in the order of their ranges, '|' is a gap.
RunList make_runs(const TestDirectory& dir, std::string_view levels) {
  RunList runs;
  LogPosition begin(0);
  for (const char c : levels) {
    if (c == '|') {
      begin += 5;
      continue;
    }
    const RunWriter::Spec spec{static_cast<std::uint32_t>(c - '0'), {begin, begin + 10}, 1, 1};
    auto writer = RunWriter::create(files(), dir.path(), spec);
    EXPECT_TRUE(writer.has_value());
    (*writer)->add({1, begin, 1});
    runs.push_back(*(*writer)->finish());
    begin += 10;
  }
  return runs;
}

std::string plan_of(std::string_view levels, KeyIndexOptions options = {}) {
  const TestDirectory dir;
  options.merge_fanout = 3;
  const auto plan = plan_merge(make_runs(dir, levels), options);
  if (!plan) return "none";
  return std::to_string(plan->first) + "+" + std::to_string(plan->count) + "->" +
         std::to_string(plan->level);
}

TEST(KeyIndexPlan, MergesTheLowestLevelFirstAndTheOldestThere) {
  EXPECT_EQ(plan_of(""), "none");
  EXPECT_EQ(plan_of("00"), "none");
  EXPECT_EQ(plan_of("000"), "0+3->1");
  EXPECT_EQ(plan_of("1100000"), "2+3->1");
  EXPECT_EQ(plan_of("111000"), "3+3->1");
  EXPECT_EQ(plan_of("11100"), "0+3->2");
  EXPECT_EQ(plan_of("2211100"), "2+3->2");
}

TEST(KeyIndexPlan, DoesNotRewriteLargeRunsForAFewSmallOnes) {
  EXPECT_EQ(plan_of("2200"), "none");
  EXPECT_EQ(plan_of("221100"), "none");
  EXPECT_EQ(plan_of("2100"), "none");
}

TEST(KeyIndexPlan, KeepsToNeighboursAndTakesSmallOnesBetweenAlong) {
  EXPECT_EQ(plan_of("00|0"), "none");
  EXPECT_EQ(plan_of("00|000"), "2+3->1");
  EXPECT_EQ(plan_of("00100"), "none");
  EXPECT_EQ(plan_of("11001"), "0+5->2");
  EXPECT_EQ(plan_of("01110"), "0+4->2");
}

TEST(KeyIndexPlan, StaysWithinTheLimits) {
  KeyIndexOptions few;
  few.run_entries_max = 2;
  EXPECT_EQ(plan_of("000000", few), "none");
  KeyIndexOptions narrow;
  narrow.run_log_bytes_max = 29;
  EXPECT_EQ(plan_of("000000", narrow), "none");
  narrow.run_log_bytes_max = 30;
  EXPECT_EQ(plan_of("000000", narrow), "0+3->1");
}

TEST(KeyIndexCoverage, FirstGap) {
  const auto range = [](std::int64_t b, std::int64_t e) {
    return LogRange{LogPosition(b), LogPosition(e)};
  };
  EXPECT_EQ(first_gap({}, LogPosition(7)), (LogRange{LogPosition(7), kLogPositionMax}));
  EXPECT_EQ(first_gap({range(0, 10), range(10, 20)}, LogPosition(0)),
            (LogRange{LogPosition(20), kLogPositionMax}));
  EXPECT_EQ(first_gap({range(30, 40), range(0, 10)}, LogPosition(5)), range(10, 30));
  EXPECT_EQ(first_gap({range(30, 40)}, LogPosition(0)), range(0, 30));
  EXPECT_EQ(first_gap({range(30, 40)}, LogPosition(50)),
            (LogRange{LogPosition(50), kLogPositionMax}));
}

}  // namespace
}  // namespace gantry::store::test
