// SPDX-License-Identifier: Apache-2.0
#include "store/key_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <mutex>

#include "key_index_test_util.h"
#include "store/key_index_buffer.h"

namespace gantry::store::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::chrono::seconds kWait(30);

// Small parts, so that a few hundred records have buffers, runs and merges.
KeyIndexOptions small_options(FaultyFileSystem& fs) {
  KeyIndexOptions options;
  options.buffer_entries = 16;
  options.merge_fanout = 4;
  options.sealed_buffers_max = 4;
  options.retry_min = std::chrono::milliseconds(1);
  options.retry_max = std::chrono::milliseconds(4);
  options.worker_nice = 0;
  options.files = &fs;
  return options;
}

std::unique_ptr<KeyIndex> open_index(const TestDirectory& dir, const KeyIndexOptions& options) {
  auto index = KeyIndex::open(dir.path(), options);
  EXPECT_TRUE(index.has_value()) << index.error().message;
  return std::move(*index);
}

std::vector<LogPosition> find(KeyIndex& index, std::string_view key,
                              std::size_t max = kKeyQueryMax) {
  return index.query({.topic = kTopic, .key = key, .max = max}).positions;
}

// As the broker does: feeds, and if the disk does not keep up, waits for it and feeds again.
void feed_all(const TestLog& log, KeyIndex& index) {
  while (!log.feed(index)) ASSERT_TRUE(index.wait_idle(kWait).has_value());
}

void expect_all(const TestLog& log, KeyIndex& index, int keys) {
  for (int k = 0; k < keys; ++k) {
    const std::string key = "k" + std::to_string(k);
    const auto result = index.query({.topic = kTopic, .key = key});
    EXPECT_EQ(result.positions, log.find(key)) << key;
    EXPECT_TRUE(result.complete);
  }
}

// `n` records, each with one of `keys` keys.
TestLog make_log(int n, int keys) {
  TestLog log;
  for (int i = 0; i < n; ++i) log.append(1000 + i, {"k" + std::to_string(i % keys)});
  return log;
}

class KeyIndexTest : public testing::Test {
 protected:
  FaultyFileSystem fs_;
  TestDirectory dir_;
  KeyIndexOptions options_ = small_options(fs_);
};

TEST_F(KeyIndexTest, FindsWhatIsInMemoryAndAfterReopening) {
  TestLog log = make_log(10, 3);
  {
    const auto index = open_index(dir_, options_);
    feed_all(log, *index);
    expect_all(log, *index, 3);
    EXPECT_THAT(dir_.names(), IsEmpty());
    EXPECT_EQ(index->durable_up_to(), LogPosition(0));
    ASSERT_TRUE(index->flush(kWait).has_value());
    EXPECT_EQ(index->durable_up_to(), log.end());
    expect_all(log, *index, 3);
  }
  const auto index = open_index(dir_, options_);
  EXPECT_EQ(index->feed_position(), log.end());
  EXPECT_EQ(index->durable_up_to(), log.end());
  expect_all(log, *index, 3);
  EXPECT_THAT(find(*index, "unknown"), IsEmpty());
}

TEST_F(KeyIndexTest, NewestFirstUpToMaxWithinTheTimes) {
  const TestLog log = make_log(300, 2);
  const auto index = open_index(dir_, options_);
  feed_all(log, *index);
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  EXPECT_EQ(find(*index, "k1", 3), positions({29'900, 29'700, 29'500}));
  EXPECT_EQ(find(*index, "k1", 1000), log.find("k1", 64));
  EXPECT_THAT(find(*index, "k1", 0), IsEmpty());
  const KeyQuery times{.topic = kTopic, .key = "k0", .begin_ms = 1100, .end_ms = 1104};
  EXPECT_EQ(index->query(times).positions, positions({10'400, 10'200, 10'000}));
  const KeyQuery none{.topic = kTopic, .key = "k0", .begin_ms = 1300};
  EXPECT_THAT(index->query(none).positions, IsEmpty());
}

TEST_F(KeyIndexTest, TagsTopicsAndKeysAreKeptApart) {
  const auto index = open_index(dir_, options_);
  index->put("A", "x", LogPosition(0), 1);
  index->put("B", "x", LogPosition(10), 2);
  index->put_tag("A", "x", LogPosition(20), 3);
  index->advance(LogPosition(30));
  const auto query = [&](std::string_view topic, KeyKind kind) {
    return index->query({.topic = topic, .key = "x", .kind = kind}).positions;
  };
  EXPECT_EQ(query("A", KeyKind::kKey), positions({0}));
  EXPECT_EQ(query("B", KeyKind::kKey), positions({10}));
  EXPECT_EQ(query("A", KeyKind::kTag), positions({20}));
  EXPECT_THAT(query("B", KeyKind::kTag), IsEmpty());
}

TEST_F(KeyIndexTest, OneRecordIsFoundOnceAndKeysOfEqualHashTogether) {
  const auto index = open_index(dir_, options_);
  index->put(kTopic, "Aa", LogPosition(0), 1);
  index->put(kTopic, "Aa", LogPosition(0), 1);
  index->put(kTopic, "BB", LogPosition(10), 1);
  index->advance(LogPosition(20));
  EXPECT_EQ(find(*index, "Aa"), positions({10, 0}));
  EXPECT_EQ(find(*index, "BB"), positions({10, 0}));
}

TEST_F(KeyIndexTest, MergesKeepEverythingAndFewFiles) {
  const TestLog log = make_log(16 * 64, 50);
  const auto index = open_index(dir_, options_);
  feed_all(log, *index);
  ASSERT_TRUE(index->flush(kWait).has_value());
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  expect_all(log, *index, 50);
  // 64 buffers of one record for each entry: all of them in one run of level 3.
  EXPECT_THAT(dir_.names(), ElementsAre("00000000000000000000-3.run"));
  const KeyIndexStats stats = index->stats();
  EXPECT_EQ(stats.entries, 16U * 64);
  EXPECT_EQ(stats.written_entries, 16U * 64);  // each once, even if some were dropped before
  EXPECT_EQ(stats.runs, 1U);
  EXPECT_EQ(stats.merges, 16U + 4 + 1);
  EXPECT_EQ(stats.run_bytes, std::filesystem::file_size(dir_.file("00000000000000000000-3.run")));
  EXPECT_GT(stats.worker_cpu_ns, 0U);
}

TEST_F(KeyIndexTest, ACrashLosesOnlyWhatWasNotDurable) {
  TestLog log = make_log(100, 7);
  LogPosition durable;
  {
    const auto index = open_index(dir_, options_);
    log.feed(*index, 40);
    ASSERT_TRUE(index->wait_idle(kWait).has_value());
    durable = index->durable_up_to();
    EXPECT_EQ(durable, LogPosition(3200));  // two buffers of 16 entries
    EXPECT_EQ(index->feed_position(), LogPosition(4000));
  }
  const auto index = open_index(dir_, options_);
  EXPECT_EQ(index->feed_position(), durable);
  feed_all(log, *index);
  expect_all(log, *index, 7);
}

TEST_F(KeyIndexTest, ARecordMayHaveMoreKeysThanABuffer) {
  TestLog log = make_log(10, 3);
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.push_back("many" + std::to_string(i));
  log.append(5000, many);
  log.append(5001, {"k1"});
  log.append(5002, many);
  const auto index = open_index(dir_, options_);
  for (int round = 0; round < 2; ++round) {
    feed_all(log, *index);
    expect_all(log, *index, 3);
    for (const std::string& key : many) EXPECT_EQ(find(*index, key), log.find(key));
    ASSERT_TRUE(index->flush(kWait).has_value());
  }
  EXPECT_EQ(index->durable_up_to(), log.end());
}

TEST_F(KeyIndexTest, ALogWithFewKeysBecomesDurableToo) {
  options_.buffer_log_bytes = 1000;
  TestLog log;
  for (int i = 0; i < 100; ++i) log.append(1000 + i, {});
  const auto index = open_index(dir_, options_);
  feed_all(log, *index);
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  EXPECT_EQ(index->durable_up_to(), log.end());
  EXPECT_EQ(index->stats().entries, 0U);
}

TEST_F(KeyIndexTest, FarJumpsInPositionAndTimeStartANewBuffer) {
  const std::int64_t far = std::int64_t{1} << 40;
  TestLog log;
  log.append(1000, {"k0"}, far);
  log.append(1000 + far, {"k0"}, far);
  log.append(5, {"k0", "k1"}, far);
  log.append(1000, {"k1"});
  options_.buffer_log_bytes = std::int64_t{1} << 31;
  const auto index = open_index(dir_, options_);
  // Without an advance in between.
  for (const LogRecord& r : log.records()) {
    for (const std::string& key : r.keys) index->put(kTopic, key, r.position, r.store_time_ms);
  }
  index->advance(log.end());
  expect_all(log, *index, 2);
  ASSERT_TRUE(index->flush(kWait).has_value());
  expect_all(log, *index, 2);
  const KeyQuery early{.topic = kTopic, .key = "k0", .end_ms = 5};
  EXPECT_EQ(index->query(early).positions, (std::vector{LogPosition(2 * far)}));
}

TEST_F(KeyIndexTest, TellsTheNewestEntry) {
  const TestLog log = make_log(40, 3);
  {
    const auto index = open_index(dir_, options_);
    EXPECT_EQ(index->stats().last.position, LogPosition(0));
    feed_all(log, *index);
    const auto result = index->query({.topic = kTopic, .key = "k0"});
    EXPECT_EQ(result.last.position, LogPosition(3900));
    EXPECT_EQ(result.last.store_time_ms, 1039);
    ASSERT_TRUE(index->flush(kWait).has_value());
  }
  const auto index = open_index(dir_, options_);
  EXPECT_EQ(index->stats().last.position, LogPosition(3900));
  EXPECT_EQ(index->stats().last.store_time_ms, 1039);
}

// ---- A disk that is slow, full or broken

TEST_F(KeyIndexTest, ASlowDiskCostsEntriesButNotMemoryAndTheyAreFedAgain) {
  std::promise<void> room;
  std::once_flag first;
  options_.on_room = [&] { std::call_once(first, [&] { room.set_value(); }); };
  fs_.hold_writes(true);
  const TestLog log = make_log(200, 10);
  const auto index = open_index(dir_, options_);
  EXPECT_FALSE(log.feed(*index));
  // Four sealed buffers wait; the fifth had to go.
  EXPECT_EQ(index->needs_refeed_from(), LogPosition(4 * 1600));
  EXPECT_EQ(index->feed_position(), LogPosition(4 * 1600));
  EXPECT_EQ(index->stats().sealed_buffers, 4U);
  EXPECT_EQ(index->stats().dropped_entries, 16U);
  EXPECT_EQ(index->durable_up_to(), LogPosition(0));
  // What is there can still be found, and the answer says that it is not all.
  const auto result = index->query({.topic = kTopic, .key = "k3"});
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.positions, log.find("k3", 64, 0, 1063));
  // Puts and advances are of no effect now.
  index->put(kTopic, "late", LogPosition(9000), 1);
  index->advance(LogPosition(9100));
  EXPECT_EQ(index->feed_position(), LogPosition(4 * 1600));
  EXPECT_EQ(index->resume().error().code, ErrorCode::kBusy);

  fs_.hold_writes(false);
  ASSERT_EQ(room.get_future().wait_for(kWait), std::future_status::ready);
  EXPECT_EQ(index->resume().value(), LogPosition(4 * 1600));
  EXPECT_FALSE(index->needs_refeed_from().has_value());
  feed_all(log, *index);
  ASSERT_TRUE(index->flush(kWait).has_value());
  expect_all(log, *index, 10);
  EXPECT_THAT(find(*index, "late"), IsEmpty());
}

TEST_F(KeyIndexTest, AFullDiskStopsOnlyTheDurablePosition) {
  const TestLog log = make_log(60, 10);
  const auto index = open_index(dir_, options_);
  log.feed(*index, 16);
  ASSERT_TRUE(index->flush(kWait).has_value());
  fs_.full = true;
  feed_all(log, *index);
  const auto flushed = index->flush(kWait);
  ASSERT_FALSE(flushed.has_value());
  EXPECT_EQ(flushed.error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(index->durable_up_to(), LogPosition(1600));
  EXPECT_FALSE(index->needs_refeed_from().has_value());
  expect_all(log, *index, 10);
  EXPECT_THAT(dir_.names(".run"), SizeIs(1));
  fs_.full = false;
  ASSERT_TRUE(index->flush(kWait).has_value());
  EXPECT_EQ(index->durable_up_to(), log.end());
  expect_all(log, *index, 10);
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  EXPECT_THAT(dir_.names(".tmp"), IsEmpty());
}

TEST_F(KeyIndexTest, AFailedSyncIsNoSuccess) {
  const TestLog log = make_log(20, 10);
  const auto index = open_index(dir_, options_);
  fs_.sync_fails = true;
  feed_all(log, *index);
  EXPECT_EQ(index->flush(kWait).error().code, ErrorCode::kIo);
  EXPECT_EQ(index->durable_up_to(), LogPosition(0));
  EXPECT_THAT(dir_.names(".run"), IsEmpty());
  fs_.sync_fails = false;
  ASSERT_TRUE(index->flush(kWait).has_value());
  EXPECT_EQ(index->durable_up_to(), log.end());
}

TEST_F(KeyIndexTest, MergesThatFailAreTriedAgain) {
  options_.retry_min = options_.retry_max = std::chrono::milliseconds(20);
  const TestLog log = make_log(16 * 4, 10);
  const auto index = open_index(dir_, options_);
  log.feed(*index, 16 * 3 + 15);
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  fs_.full = true;
  feed_all(log, *index);
  ASSERT_FALSE(index->wait_idle(std::chrono::milliseconds(50)).has_value());
  expect_all(log, *index, 10);
  fs_.full = false;
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  EXPECT_EQ(index->stats().runs, 1U);
  expect_all(log, *index, 10);
}

// ---- Damage

TEST_F(KeyIndexTest, ARunFoundDamagedAtOpenLeavesAGapThatIsFedFirst) {
  options_.merge_fanout = 100;
  TestLog log = make_log(16 * 5, 10);
  {
    const auto index = open_index(dir_, options_);
    feed_all(log, *index);
    ASSERT_TRUE(index->flush(kWait).has_value());
  }
  const std::string damaged = dir_.file("00000000000000003200-0.run");
  write_bytes(damaged, read_bytes(damaged).substr(0, 5000));
  const auto index = open_index(dir_, options_);
  EXPECT_EQ(index->stats().damaged_runs, 1U);
  EXPECT_TRUE(std::filesystem::exists(damaged + ".damaged"));
  EXPECT_EQ(index->feed_position(), LogPosition(3200));
  EXPECT_EQ(index->durable_up_to(), LogPosition(3200));
  EXPECT_FALSE(index->query({.topic = kTopic, .key = "k1"}).complete);
  EXPECT_EQ(index->stats().last.position, LogPosition(7900));
  // Only the gap is fed; then the position jumps to the end.
  EXPECT_TRUE(log.feed(*index, 16));
  EXPECT_EQ(index->feed_position(), log.end());
  expect_all(log, *index, 10);
  log.append(9000, {"k1"});
  feed_all(log, *index);
  ASSERT_TRUE(index->flush(kWait).has_value());
  EXPECT_EQ(index->durable_up_to(), log.end());
  expect_all(log, *index, 10);
  EXPECT_EQ(index->stats().entries, 16U * 5 + 1);
}

TEST_F(KeyIndexTest, ARunFoundDamagedByAQueryIsFedAgainWhileNewEntriesGoOn) {
  options_.merge_fanout = 100;
  TestLog log = make_log(16 * 5 + 3, 10);
  const auto index = open_index(dir_, options_);
  feed_all(log, *index);
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  flip_bit(dir_.file("00000000000000001600-0.run"), 4096 + 50, 3);
  EXPECT_FALSE(index->needs_refeed_from().has_value());
  const auto result = index->query({.topic = kTopic, .key = "k3"});
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.positions.size(), log.find("k3").size() - 1);  // without record 23
  EXPECT_EQ(index->needs_refeed_from(), LogPosition(1600));
  EXPECT_EQ(index->durable_up_to(), LogPosition(1600));
  // Not urgent: new records are taken as before.
  log.append(9000, {"k3"});
  index->put(kTopic, "k3", log.records().back().position, 9000);
  index->advance(log.end());
  EXPECT_EQ(find(*index, "k3").front(), log.records().back().position);
  // Then the gap, and on behind the live end.
  EXPECT_EQ(index->resume().value(), LogPosition(1600));
  EXPECT_FALSE(index->needs_refeed_from().has_value());
  EXPECT_TRUE(log.feed(*index, 16));
  EXPECT_EQ(index->feed_position(), log.end());
  expect_all(log, *index, 10);
  ASSERT_TRUE(index->flush(kWait).has_value());
  EXPECT_EQ(index->durable_up_to(), log.end());
  EXPECT_THAT(dir_.names(".damaged"), ElementsAre("00000000000000001600-0.run.damaged"));
}

TEST_F(KeyIndexTest, ARunFoundDamagedByAMergeIsFedAgain) {
  const TestLog log = make_log(16 * 4, 10);
  const auto index = open_index(dir_, options_);
  log.feed(*index, 16 * 2);
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  flip_bit(dir_.file("00000000000000000000-0.run"), 4096 + 50, 3);
  log.feed(*index);
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  EXPECT_EQ(index->needs_refeed_from(), LogPosition(0));
  feed_all(log, *index);
  ASSERT_TRUE(index->flush(kWait).has_value());
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  expect_all(log, *index, 10);
  EXPECT_THAT(dir_.names(),
              ElementsAre("00000000000000000000-0.run.damaged", "00000000000000000000-1.run"));
}

TEST_F(KeyIndexTest, AFileThatCannotBeOpenedIsNotTakenForDamaged) {
  {
    const auto index = open_index(dir_, options_);
    feed_all(make_log(16, 10), *index);
    ASSERT_TRUE(index->flush(kWait).has_value());
  }
  fs_.open_fails = true;
  const auto index = KeyIndex::open(dir_.path(), options_);
  ASSERT_FALSE(index.has_value());
  EXPECT_EQ(index.error().code, ErrorCode::kIo);
  EXPECT_THAT(dir_.names(), ElementsAre("00000000000000000000-0.run"));
}

// ---- What a crash leaves in the directory

TEST_F(KeyIndexTest, CleansUpAfterACrash) {
  const TestLog log = make_log(16 * 4, 10);
  const TestDirectory copies;
  {
    const auto index = open_index(dir_, options_);
    log.feed(*index, 16 * 3);
    ASSERT_TRUE(index->wait_idle(kWait).has_value());
    for (const std::string& name : dir_.names()) {
      write_bytes(copies.file(name), read_bytes(dir_.file(name)));
    }
    feed_all(log, *index);
    ASSERT_TRUE(index->wait_idle(kWait).has_value());
  }
  ASSERT_THAT(dir_.names(), ElementsAre("00000000000000000000-1.run"));
  // Inputs of the merge that were not deleted yet, half-written files, somebody's notes.
  for (const std::string& name : copies.names()) {
    write_bytes(dir_.file(name), read_bytes(copies.file(name)));
  }
  write_bytes(dir_.file("00000000000000006400-0.run.tmp"), "half");
  write_bytes(dir_.file("notes.txt"), "mine");
  const auto index = open_index(dir_, options_);
  EXPECT_THAT(dir_.names(), ElementsAre("00000000000000000000-1.run", "notes.txt"));
  EXPECT_EQ(index->stats().entries, 64U);
  EXPECT_EQ(index->stats().damaged_runs, 0U);
  expect_all(log, *index, 10);
}

TEST_F(KeyIndexTest, ARunThatOverlapsAnotherIsSetAside) {
  options_.merge_fanout = 100;
  const TestLog log = make_log(16 * 3, 10);
  const TestDirectory other;
  {
    const auto index = open_index(dir_, options_);
    feed_all(log, *index);
    ASSERT_TRUE(index->flush(kWait).has_value());
    KeyIndexOptions large = options_;
    large.buffer_entries = 24;
    const auto second = open_index(other, large);
    feed_all(log, *second);
    ASSERT_TRUE(second->flush(kWait).has_value());
  }
  write_bytes(dir_.file("00000000000000002400-0.run"),
              read_bytes(other.file("00000000000000002400-0.run")));
  const auto index = open_index(dir_, options_);
  EXPECT_EQ(index->stats().damaged_runs, 1U);
  feed_all(log, *index);
  ASSERT_TRUE(index->flush(kWait).has_value());
  expect_all(log, *index, 10);
  EXPECT_EQ(index->stats().entries, 48U);
}

TEST_F(KeyIndexTest, ARunUnderAForeignNameIsSetAside) {
  const TestLog log = make_log(16, 10);
  {
    const auto index = open_index(dir_, options_);
    feed_all(log, *index);
    ASSERT_TRUE(index->flush(kWait).has_value());
  }
  std::filesystem::rename(dir_.file("00000000000000000000-0.run"),
                          dir_.file("00000000000000000100-0.run"));
  const auto index = open_index(dir_, options_);
  EXPECT_EQ(index->stats().damaged_runs, 1U);
  EXPECT_EQ(index->feed_position(), LogPosition(0));
}

// ---- Cuts and trims

// After a cut other records lie at the same positions.
void expect_cut_works(const TestDirectory& dir, const KeyIndexOptions& options, int at) {
  TestLog log = make_log(100, 10);
  auto index = open_index(dir, options);
  feed_all(log, *index);
  if (at % 2 == 0) {
    ASSERT_TRUE(index->wait_idle(kWait).has_value());
  }
  log.cut(LogPosition(100 * at));
  ASSERT_TRUE(index->cut(log.end()).has_value());
  EXPECT_LE(index->feed_position(), log.end());
  EXPECT_LE(index->durable_up_to(), log.end());
  EXPECT_LT(index->stats().last.position, log.end());
  expect_all(log, *index, 10);
  for (int i = at; i < 120; ++i) log.append(2000 + i, {"new" + std::to_string(i % 7)});
  feed_all(log, *index);
  ASSERT_TRUE(index->flush(kWait).has_value());
  index.reset();
  index = open_index(dir, options);
  EXPECT_EQ(index->feed_position(), log.end());
  expect_all(log, *index, 10);
  for (int k = 0; k < 7; ++k) {
    const std::string key = "new" + std::to_string(k);
    EXPECT_EQ(find(*index, key), log.find(key));
  }
  EXPECT_EQ(index->stats().entries, 120U);
}

TEST_F(KeyIndexTest, CutsEverywhere) {
  for (const int at : {1, 2, 15, 16, 31, 47, 64, 66, 80, 95, 96, 97, 99, 100}) {
    SCOPED_TRACE(at);
    const TestDirectory dir;
    expect_cut_works(dir, options_, at);
  }
}

TEST_F(KeyIndexTest, CutsAtOpenToTheEndOfTheLog) {
  TestLog log = make_log(100, 10);
  {
    const auto index = open_index(dir_, options_);
    feed_all(log, *index);
    ASSERT_TRUE(index->flush(kWait).has_value());
  }
  log.cut(LogPosition(5000));
  options_.log_end = log.end();
  const auto index = open_index(dir_, options_);
  EXPECT_EQ(index->feed_position(), log.end());
  expect_all(log, *index, 10);
  EXPECT_EQ(index->stats().entries, 50U);
}

TEST_F(KeyIndexTest, ACutThatCannotShortenARunRemovesIt) {
  TestLog log = make_log(16 * 3, 10);
  options_.merge_fanout = 100;
  const auto index = open_index(dir_, options_);
  feed_all(log, *index);
  ASSERT_TRUE(index->flush(kWait).has_value());
  fs_.full = true;
  log.cut(LogPosition(2000));
  const auto done = index->cut(log.end());
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::kDiskFull);
  fs_.full = false;
  EXPECT_EQ(index->feed_position(), LogPosition(1600));
  EXPECT_THAT(dir_.names(), ElementsAre("00000000000000000000-0.run"));
  feed_all(log, *index);
  expect_all(log, *index, 10);
}

TEST_F(KeyIndexTest, TrimsAwayRunsBelowAndHidesTheRest) {
  options_.merge_fanout = 100;
  TestLog log = make_log(100, 10);
  const auto index = open_index(dir_, options_);
  feed_all(log, *index);
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  ASSERT_THAT(dir_.names(), SizeIs(6));
  log.trim(LogPosition(3500));
  index->trim(log.begin());
  expect_all(log, *index, 10);
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  EXPECT_THAT(dir_.names(), SizeIs(4));
  EXPECT_EQ(index->feed_position(), log.end());
  index->trim(LogPosition(100));  // never back
  expect_all(log, *index, 10);
  // Everything is gone, the next record lies far ahead.
  log.trim(log.end() + 1'000'000);
  index->trim(log.begin());
  EXPECT_EQ(index->feed_position(), log.begin());
  EXPECT_EQ(index->durable_up_to(), log.begin());
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  EXPECT_THAT(dir_.names(), IsEmpty());
}

TEST_F(KeyIndexTest, OpensAtTheLogsBeginning) {
  TestLog log = make_log(100, 10);
  {
    const auto index = open_index(dir_, options_);
    feed_all(log, *index);
    ASSERT_TRUE(index->flush(kWait).has_value());
  }
  write_bytes(dir_.file("00000000000000000000-0.run.damaged"), "old");
  write_bytes(dir_.file("00000000000000009000-0.run.damaged"), "young");
  log.trim(LogPosition(7000));
  options_.log_begin = log.begin();
  const auto index = open_index(dir_, options_);
  expect_all(log, *index, 10);
  EXPECT_EQ(index->feed_position(), log.end());
  EXPECT_THAT(dir_.names(".damaged"), ElementsAre("00000000000000009000-0.run.damaged"));
  // A log that begins above all that is there.
  options_.log_begin = LogPosition(1'000'000);
  EXPECT_EQ(open_index(TestDirectory(), options_)->feed_position(), LogPosition(1'000'000));
}

TEST_F(KeyIndexTest, ATrimWhileEntriesAreDroppedMovesTheRefeed) {
  fs_.hold_writes(true);
  TestLog log = make_log(200, 10);
  const auto index = open_index(dir_, options_);
  EXPECT_FALSE(log.feed(*index));
  log.trim(LogPosition(15'000));
  index->trim(log.begin());
  EXPECT_EQ(index->needs_refeed_from(), LogPosition(15'000));
  index->put(kTopic, "k0", LogPosition(15'000), 1);  // still stopped
  EXPECT_THAT(find(*index, "k0"), IsEmpty());
  fs_.hold_writes(false);
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  feed_all(log, *index);
  expect_all(log, *index, 10);
}

// ---- Asynchronous queries

TEST_F(KeyIndexTest, AsyncQueriesSeeWhatWasPutBefore) {
  TestLog log = make_log(40, 3);
  const auto index = open_index(dir_, options_);
  feed_all(log, *index);
  ASSERT_TRUE(index->wait_idle(kWait).has_value());
  fs_.hold_reads(true);
  std::promise<KeyQueryResult> answer;
  ASSERT_TRUE(index
                  ->query_async({.topic = kTopic, .key = "k0"},
                                [&](KeyQueryResult result) { answer.set_value(std::move(result)); })
                  .has_value());
  // The shard goes on while the reader waits for the disk, and even cuts what is being read.
  const auto before = log.find("k0");
  for (int i = 0; i < 100; ++i) log.append(5000 + i, {"k0"});
  log.feed(*index);
  fs_.hold_reads(false);
  EXPECT_EQ(answer.get_future().get().positions, before);
}

TEST_F(KeyIndexTest, TooManyAsyncQueriesAreRefusedAndWaitingOnesAnswered) {
  options_.queries_max = 2;
  std::vector<KeyQueryResult> answers;
  {
    auto index = open_index(dir_, options_);
    feed_all(make_log(16, 1), *index);
    ASSERT_TRUE(index->flush(kWait).has_value());
    fs_.hold_reads(true);
    const auto ask = [&] {
      return index->query_async({.topic = kTopic, .key = "k0"}, [&](KeyQueryResult result) {
        answers.push_back(std::move(result));
      });
    };
    ASSERT_TRUE(ask().has_value());
    fs_.wait_for_held_read();  // one is in progress, two may wait
    ASSERT_TRUE(ask().has_value());
    ASSERT_TRUE(ask().has_value());
    const auto refused = ask();
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kBusy);
    auto closing = std::async(std::launch::async, [&] { index.reset(); });
    fs_.hold_reads(false);
    closing.get();
  }
  ASSERT_THAT(answers, SizeIs(3));
  EXPECT_THAT(answers[0].positions, SizeIs(16));
}

// ---- Options

TEST_F(KeyIndexTest, RefusesOptionsThatMakeNoSense) {
  const auto refused = [&](auto change) {
    KeyIndexOptions options = options_;
    change(options);
    const auto index = KeyIndex::open(dir_.path(), options);
    return !index && index.error().code == ErrorCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](auto& o) { o.buffer_entries = 0; }));
  EXPECT_TRUE(refused([](auto& o) { o.buffer_log_bytes = std::int64_t{1} << 32; }));
  EXPECT_TRUE(refused([](auto& o) { o.sealed_buffers_max = 0; }));
  EXPECT_TRUE(refused([](auto& o) { o.merge_fanout = 1; }));
  EXPECT_TRUE(refused([](auto& o) { o.log_end = LogPosition(-1); }));
  EXPECT_TRUE(refused([](auto& o) { o.retry_max = std::chrono::milliseconds(0); }));
}

}  // namespace
}  // namespace gantry::store::test
