// SPDX-License-Identifier: Apache-2.0
#include "store/apache_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "key_index_test_util.h"
#include "store/key_index.h"
#include "store/key_index_hash.h"
#include "tests/support/apache_index_file.h"

namespace gantry::store::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kStart = 1'700'000'000'000;

// One file whose messages are of one topic.
class FileBuilder : public gantry::testing::ApacheIndexFile {
 public:
  using ApacheIndexFile::ApacheIndexFile;
  void put(std::string_view key, std::int64_t position, std::int64_t store_time_ms) {
    ApacheIndexFile::put(kTopic, key, position, store_time_ms);
  }
};

constexpr std::uint32_t kSlots = 7;
constexpr std::uint32_t kEntries = 20;

std::unique_ptr<ApacheIndex> open_index(const std::string& directory,
                                        ApacheIndexOptions options = {}) {
  auto index = ApacheIndex::open(directory, options);
  EXPECT_TRUE(index.has_value()) << index.error().message;
  return std::move(*index);
}

ApacheIndexOptions small_files() {
  ApacheIndexOptions options;
  options.hash_slots = kSlots;
  options.entries_max = kEntries;
  return options;
}

struct Answer {
  std::vector<LogPosition> positions;
  bool complete = true;
};

Answer find(const ApacheIndex& index, std::uint32_t hash, std::size_t max = 64,
            std::int64_t begin_ms = 0, std::int64_t end_ms = INT64_MAX,
            LogPosition end = kLogPositionMax) {
  KeySearch search(hash, max, begin_ms, end_ms, LogPosition(0));
  const bool complete = index.search(search, end).has_value();
  return {search.take(), complete};
}

Answer find(const ApacheIndex& index, std::string_view key) {
  return find(index, key_hash(kTopic, key));
}

// ---- Files that a broker of Apache RocketMQ 5.5.0 wrote; see fixtures/apache_index/README.md.

struct Sent {
  std::string kind;
  std::string topic;
  std::string key;
  std::vector<LogPosition> positions;
  std::uint32_t hash() const { return kind == "tag" ? tag_hash(topic, key) : key_hash(topic, key); }
};

std::vector<Sent> read_sent() {
  std::ifstream file(std::string(GANTRY_APACHE_INDEX_FIXTURES) + "/expected.tsv");
  std::vector<Sent> sent;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    Sent s;
    std::string list;
    std::getline(fields, s.kind, '\t');
    std::getline(fields, s.topic, '\t');
    std::getline(fields, s.key, '\t');
    for (std::int64_t p = 0; fields >> p;) s.positions.emplace_back(p);
    sent.push_back(std::move(s));
  }
  return sent;
}

// Keys of equal hash are found together, as by RocketMQ.
std::vector<LogPosition> with_equal_hash(const std::vector<Sent>& sent, std::uint32_t hash) {
  std::vector<LogPosition> all;
  for (const Sent& s : sent) {
    if (s.hash() == hash) all.insert(all.end(), s.positions.begin(), s.positions.end());
  }
  std::ranges::sort(all, std::ranges::greater{});
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

ApacheIndexOptions fixture_options() {
  ApacheIndexOptions options;
  options.hash_slots = 97;
  options.entries_max = 60;
  return options;
}

TEST(ApacheIndex, FindsWhatABrokerOfApacheIndexed) {
  const auto index = open_index(GANTRY_APACHE_INDEX_FIXTURES, fixture_options());
  EXPECT_EQ(index->file_count(), 3U);
  EXPECT_TRUE(index->complete());
  EXPECT_EQ(index->indexed_up_to(), LogPosition(10'471));
  const auto sent = read_sent();
  ASSERT_EQ(sent.size(), 63U);
  for (const Sent& s : sent) {
    const auto answer = find(*index, s.hash());
    EXPECT_TRUE(answer.complete);
    EXPECT_EQ(answer.positions, with_equal_hash(sent, s.hash())) << s.topic << " " << s.key;
  }
  EXPECT_THAT(find(*index, key_hash("Orders", "no such key")).positions, IsEmpty());
}

TEST(ApacheIndex, HonoursMaxTimesAndEnd) {
  const auto index = open_index(GANTRY_APACHE_INDEX_FIXTURES, fixture_options());
  const std::uint32_t hash = key_hash("Orders", "order-0");
  const auto all = find(*index, hash).positions;
  ASSERT_EQ(all.size(), 4U);
  const std::int64_t newest = index->last().store_time_ms;
  EXPECT_EQ(find(*index, hash, 2).positions, (std::vector{all[0], all[1]}));
  EXPECT_EQ(find(*index, hash, 64, 0, INT64_MAX, all[1]).positions, (std::vector{all[2], all[3]}));
  EXPECT_THAT(find(*index, hash, 64, newest + 2000).positions, IsEmpty());
  EXPECT_THAT(find(*index, hash, 64, 0, 1000).positions, IsEmpty());
  // The messages were sent in four groups more than a second apart; times are known to a second.
  EXPECT_EQ(find(*index, hash, 64, newest - 100).positions, (std::vector{all[0]}));
}

// ---- Files made here

TEST(ApacheIndex, ADirectoryWithoutFilesIsAnEmptyIndex) {
  const TestDirectory dir;
  for (const std::string& path : {dir.path(), dir.file("missing")}) {
    const auto index = open_index(path);
    EXPECT_EQ(index->file_count(), 0U);
    EXPECT_EQ(index->indexed_up_to(), LogPosition(0));
    EXPECT_THAT(find(*index, "k").positions, IsEmpty());
  }
}

TEST(ApacheIndex, ReadsFilesOfTheUsualSize) {
  const TestDirectory dir;
  const std::string path = dir.file("20240102030405006");
  FileBuilder builder(5'000'000, 20);
  builder.put("k", 1234, kStart);
  write_bytes(path, builder.bytes());
  std::filesystem::resize_file(path, 420'000'040);  // sparse
  const auto index = open_index(dir.path());
  EXPECT_EQ(index->file_count(), 1U);
  EXPECT_THAT(find(*index, "k").positions, ElementsAre(LogPosition(1234)));
}

TEST(ApacheIndex, SearchesNewestFilesFirstAndIgnoresOtherNames) {
  const TestDirectory dir;
  FileBuilder old_file(kSlots, kEntries);
  FileBuilder new_file(kSlots, kEntries);
  for (int i = 0; i < 10; ++i) {
    old_file.put(i % 2 == 0 ? "a" : "b", 100 * i, kStart + i * 100);
    new_file.put(i % 2 == 0 ? "a" : "c", 1000 + 100 * i, kStart + 5000 + i * 100);
  }
  write_bytes(dir.file("20240102030405000"), old_file.bytes());
  write_bytes(dir.file("20240102030405001"), new_file.bytes());
  write_bytes(dir.file("20240102030405002.tmp"), "x");
  write_bytes(dir.file("readme"), "x");
  write_bytes(dir.file("20240102030406000"), FileBuilder(kSlots, kEntries).bytes());  // still empty
  const auto index = open_index(dir.path(), small_files());
  EXPECT_TRUE(index->complete());
  EXPECT_EQ(find(*index, "a").positions,
            positions({1800, 1600, 1400, 1200, 1000, 800, 600, 400, 200, 0}));
  EXPECT_EQ(find(*index, key_hash(kTopic, "a"), 3).positions, positions({1800, 1600, 1400}));
  EXPECT_EQ(index->last().store_time_ms, kStart + 5900);
  EXPECT_EQ(index->indexed_up_to(), LogPosition(1900));

  EXPECT_THAT(index->forget_below(LogPosition(900)), IsEmpty());
  EXPECT_THAT(index->forget_below(LogPosition(901)), ElementsAre(dir.file("20240102030405000")));
  EXPECT_EQ(find(*index, "a").positions, positions({1800, 1600, 1400, 1200, 1000}));
  EXPECT_THAT(find(*index, "b").positions, IsEmpty());
}

TEST(ApacheIndex, LeavesOutFilesThatDoNotFit) {
  const TestDirectory dir;
  FileBuilder builder(kSlots, kEntries);
  builder.put("k", 1, kStart);
  write_bytes(dir.file("20240102030405000"), builder.bytes());
  write_bytes(dir.file("20240102030405001"), builder.bytes() + "x");
  FileBuilder counts = builder;
  counts.set<std::int32_t>(36, 21);
  write_bytes(dir.file("20240102030405002"), counts.bytes());
  FileBuilder negative = builder;
  negative.set<std::int64_t>(16, -1);
  write_bytes(dir.file("20240102030405003"), negative.bytes());
  const auto index = open_index(dir.path(), small_files());
  EXPECT_EQ(index->file_count(), 1U);
  EXPECT_FALSE(index->complete());
  EXPECT_EQ(find(*index, "k").positions, positions({1}));
}

TEST(ApacheIndex, DoesNotUseFilesThatMayBeHalfWritten) {
  const TestDirectory dir;
  for (int i = 0; i < 3; ++i) {
    FileBuilder builder(kSlots, kEntries);
    builder.put("k", 100 * i, kStart + 1000 * i);
    write_bytes(dir.file("2024010203040500" + std::to_string(i)), builder.bytes());
  }
  ApacheIndexOptions options = small_files();
  options.trusted_up_to_ms = kStart + 1000;
  const auto index = open_index(dir.path(), options);
  EXPECT_TRUE(index->complete());
  EXPECT_EQ(index->file_count(), 2U);
  EXPECT_EQ(index->indexed_up_to(), LogPosition(100));
  EXPECT_EQ(find(*index, "k").positions, positions({100, 0}));
}

// A link that leads nowhere, forward or in a circle ends the search with an error, not in a loop.
TEST(ApacheIndex, ChecksEveryLink) {
  for (const std::int32_t link : {3, 4, 19, -1, INT32_MAX, INT32_MIN}) {
    const TestDirectory dir;
    FileBuilder builder(1, kEntries);
    for (int i = 0; i < 5; ++i) builder.put("k", 100 * i, kStart);
    builder.set(builder.entry_at(3) + 16, link);
    write_bytes(dir.file("20240102030405000"), builder.bytes());
    ApacheIndexOptions options = small_files();
    options.hash_slots = 1;
    const auto answer = find(*open_index(dir.path(), options), "k");
    EXPECT_FALSE(answer.complete) << link;
    EXPECT_EQ(answer.positions, positions({400, 300, 200})) << link;
  }
}

// Any damage: an answer or an error, but no crash and no loop.
TEST(ApacheIndex, SurvivesRandomDamage) {
  Random random(11);
  for (int round = 0; round < 300; ++round) {
    FileBuilder builder(kSlots, kEntries);
    for (int i = 0; i < 19; ++i)
      builder.put("k" + std::to_string(i % 4), 100 * i, kStart + i * 700);
    std::string bytes = builder.bytes();
    for (int flips = 0; flips < 8; ++flips) {
      char& byte = bytes[random() % bytes.size()];
      byte = static_cast<char>(random());
    }
    const TestDirectory dir;
    write_bytes(dir.file("20240102030405000"), bytes);
    const auto index = open_index(dir.path(), small_files());
    for (int k = 0; k < 4; ++k) {
      for (const LogPosition p : find(*index, "k" + std::to_string(k)).positions) {
        EXPECT_GE(p, LogPosition(0));
      }
    }
  }
}

// ---- Behind the key index

TEST(ApacheIndex, AnswersForTheOlderPartOfTheLog) {
  const TestDirectory dir;
  const std::string apache_dir = dir.file("index");
  std::filesystem::create_directory(apache_dir);
  FileBuilder builder(kSlots, kEntries);
  TestLog log;
  for (int i = 0; i < 15; ++i) {
    const std::string key = "k" + std::to_string(i % 3);
    builder.put(key, log.append(kStart + i, {key}).v, kStart + i);
  }
  write_bytes(apache_dir + "/20240102030405000", builder.bytes());
  KeyIndexOptions options;
  options.apache = open_index(apache_dir, small_files());
  options.apache_end = options.apache->indexed_up_to();
  ASSERT_EQ(options.apache_end, LogPosition(1400));
  auto index = KeyIndex::open(dir.file("keyindex"), options);
  ASSERT_TRUE(index.has_value());

  // Only the last record, which may be indexed in part, has to be fed.
  EXPECT_EQ((*index)->feed_position(), LogPosition(1400));
  EXPECT_EQ((*index)->durable_up_to(), LogPosition(1400));
  EXPECT_EQ((*index)->stats().last.position, LogPosition(1400));
  for (int i = 0; i < 30; ++i) log.append(kStart + 100 + i, {"k" + std::to_string(i % 3)});
  EXPECT_TRUE(log.feed(**index));
  for (const std::string key : {"k0", "k1", "k2"}) {
    const auto result = (*index)->query({.topic = kTopic, .key = key});
    EXPECT_EQ(result.positions, log.find(key)) << key;
    EXPECT_TRUE(result.complete);
    EXPECT_EQ((*index)->query({.topic = kTopic, .key = key, .max = 12}).positions,
              log.find(key, 12));
  }
  EXPECT_EQ((*index)->stats().entries, 31U);

  // A log that is shorter than what Apache indexed.
  log.cut(LogPosition(1000));
  ASSERT_TRUE((*index)->cut(log.end()).has_value());
  EXPECT_EQ((*index)->feed_position(), log.end());
  log.append(kStart + 500, {"k1"});
  EXPECT_TRUE(log.feed(**index));
  EXPECT_EQ((*index)->query({.topic = kTopic, .key = "k1"}).positions, log.find("k1"));
  EXPECT_EQ((*index)->query({.topic = kTopic, .key = "k0"}).positions, log.find("k0"));

  // Retention deletes RocketMQ's files, too.
  (*index)->trim(LogPosition(1401));
  ASSERT_TRUE((*index)->wait_idle(std::chrono::seconds(30)).has_value());
  EXPECT_FALSE(std::filesystem::exists(apache_dir + "/20240102030405000"));
  EXPECT_THAT((*index)->query({.topic = kTopic, .key = "k0"}).positions, IsEmpty());
}

}  // namespace
}  // namespace gantry::store::test
