// SPDX-License-Identifier: Apache-2.0
#include "store/consume_queue.h"

#include <gtest/gtest.h>

#include <utility>

#include "sim/power_cut_file_system.h"
#include "store/queue_store.h"
#include "tests/support/memory_file_system.h"

namespace gantry::store {
namespace {

constexpr std::int64_t kFileBytes = 20 * 100;

QueueEntry entry(std::int64_t position) { return {LogPosition(position), 50, position * 7}; }

TEST(ConsumeQueue, ServesFromMemoryAndFromFiles) {
  testing::MemoryFileSystem fs;
  ConsumeQueue q(fs, "/cq/T/0", kFileBytes);
  for (int i = 0; i < 250; ++i) q.append(QueueOffset(i), entry(i * 50));
  ASSERT_TRUE(q.write_back());
  q.relax();
  for (int i = 250; i < 300; ++i) q.append(QueueOffset(i), entry(i * 50));
  std::vector<QueueEntry> out(64);
  std::int64_t at = 0;
  while (at < 300) {
    const auto n = q.read(QueueOffset(at), out);
    ASSERT_TRUE(n);
    ASSERT_GT(*n, 0U);
    for (std::size_t i = 0; i < *n; ++i, ++at) EXPECT_EQ(out[i].position, LogPosition(at * 50));
  }
  EXPECT_EQ(*q.read(QueueOffset(300), out), 0U);
  EXPECT_EQ(q.max(), QueueOffset(300));
}

TEST(ConsumeQueue, FilesAreRocketMqs) {
  testing::MemoryFileSystem fs;
  ConsumeQueue q(fs, "/cq/T/0", kFileBytes);
  for (int i = 0; i < 101; ++i) q.append(QueueOffset(i), entry(i));
  ASSERT_TRUE(q.write_back());
  ASSERT_TRUE(fs.get("/cq/T/0/00000000000000000000"));
  ASSERT_TRUE(fs.get("/cq/T/0/00000000000000002000"));
  EXPECT_EQ(fs.get("/cq/T/0/00000000000000002000")->size(), static_cast<std::size_t>(kFileBytes));
  const std::string& bytes = *fs.get("/cq/T/0/00000000000000000000");
  EXPECT_EQ(bytes.substr(20, 20), std::string("\0\0\0\0\0\0\0\1\0\0\0\x32\0\0\0\0\0\0\0\7", 20));
}

TEST(ConsumeQueue, AppendIsIdempotentAndFillsGapsWithBlanks) {
  testing::MemoryFileSystem fs;
  ConsumeQueue q(fs, "/cq/T/0", kFileBytes);
  q.append(QueueOffset(0), entry(1));
  q.append(QueueOffset(0), entry(999));
  q.append(QueueOffset(3), entry(4));
  EXPECT_EQ(q.max(), QueueOffset(4));
  EXPECT_EQ(q.at(QueueOffset(0))->position, LogPosition(1));
  EXPECT_TRUE(q.at(QueueOffset(1))->blank());
  EXPECT_FALSE(q.at(QueueOffset(3))->blank());
}

TEST(ConsumeQueue, LoadForgetsWhatTheLogWillBringAgain) {
  for (const int known : {0, 1, 99, 100, 149, 150}) {
    testing::MemoryFileSystem fs;
    ConsumeQueue before(fs, "/cq/T/0", kFileBytes);
    for (int i = 0; i < 150; ++i) before.append(QueueOffset(i), entry(i * 50));
    ASSERT_TRUE(before.write_back());
    ConsumeQueue q(fs, "/cq/T/0", kFileBytes);
    ASSERT_TRUE(q.load(LogPosition(0), LogPosition(known * 50)));
    EXPECT_EQ(q.max(), QueueOffset(known));
    EXPECT_EQ(q.next(), QueueOffset(known));
  }
}

// The log ended earlier than the queue's files and goes on with other messages: what the files held
// behind must not be taken for entries once the log has grown past those positions.
TEST(ConsumeQueue, EntriesOfALostTailNeverComeBack) {
  for (const bool writes_lost : {false, true}) {
    testing::MemoryFileSystem fs;
    {
      ConsumeQueue q(fs, "/cq/T/0", kFileBytes);
      for (int i = 0; i < 250; ++i) q.append(QueueOffset(i), entry(i * 50));
      ASSERT_TRUE(q.write_back());
    }
    if (writes_lost) {  // the entries right behind are lost, later ones are not
      auto bytes = fs.get("/cq/T/0/00000000000000000000");
      std::fill_n(bytes->begin() + 40 * 20, 20 * 20, '\0');
    }
    {
      ConsumeQueue q(fs, "/cq/T/0", kFileBytes);
      ASSERT_TRUE(q.load(LogPosition(0), LogPosition(40 * 50), writes_lost));
      EXPECT_TRUE(q.unsynced()) << "what was erased has to be synced with the next checkpoint";
      for (int i = 40; i < 43; ++i) q.append(QueueOffset(i), entry(i * 51));
      ASSERT_TRUE(q.write_back());
    }
    ConsumeQueue q(fs, "/cq/T/0", kFileBytes);
    ASSERT_TRUE(q.load(LogPosition(0), LogPosition(1'000'000)));
    EXPECT_EQ(q.max(), QueueOffset(43));
    EXPECT_FALSE(fs.get("/cq/T/0/00000000000000002000"));
  }
}

// A power cut takes blocks of a disk, and entries lie across their borders: of the first of two
// blocks the position is lost, and what is left looks like an entry at the log's begin.
TEST(ConsumeQueue, AnEntryOfWhichAPartIsLostIsNone) {
  for (int torn = 41; torn < 100; ++torn) {
    for (const std::size_t lost : {4, 8}) {
      testing::MemoryFileSystem fs;
      {
        ConsumeQueue q(fs, "/cq/T/0", kFileBytes);
        for (int i = 0; i < 250; ++i) q.append(QueueOffset(i), entry(i * 50));
        ASSERT_TRUE(q.write_back());
      }
      auto bytes = fs.get("/cq/T/0/00000000000000000000");
      const auto from = bytes->begin() + 40 * 20;
      std::fill(from, bytes->begin() + torn * 20 + static_cast<std::ptrdiff_t>(lost), '\0');
      ConsumeQueue q(fs, "/cq/T/0", kFileBytes);
      ASSERT_TRUE(q.load(LogPosition(0), LogPosition(40 * 50)));
      EXPECT_EQ(q.max(), QueueOffset(40)) << torn << " " << lost;
      q.append(QueueOffset(40), entry(4444));
      EXPECT_EQ(q.at(QueueOffset(40))->position, LogPosition(4444));
    }
  }
}

TEST(ConsumeQueue, BlanksStayWithTheEntryBehindThem) {
  testing::MemoryFileSystem fs;
  {
    ConsumeQueue q(fs, "/cq/T/0", kFileBytes);
    for (int i = 0; i < 98; ++i) q.append(QueueOffset(i), entry(i * 50));
    q.append(QueueOffset(120), entry(120 * 50));  // 98 to 119 are blank, in two files
    q.append(QueueOffset(140), entry(140 * 50));
    ASSERT_TRUE(q.write_back());
  }
  using Case = std::pair<int, int>;  // a load erases: from the newest on
  for (const auto& [known, end] : {Case{141, 141}, Case{140, 121}, Case{120, 98}, Case{98, 98}}) {
    ConsumeQueue q(fs, "/cq/T/0", kFileBytes);
    ASSERT_TRUE(q.load(LogPosition(0), LogPosition(known * 50)));
    EXPECT_EQ(q.max(), QueueOffset(end)) << known;
  }
}

TEST(ConsumeQueue, TrimMovesTheBeginAndDeletesWholeFiles) {
  testing::MemoryFileSystem fs;
  ConsumeQueue q(fs, "/cq/T/0", kFileBytes);
  for (int i = 0; i < 250; ++i) q.append(QueueOffset(i), entry(i * 50));
  ASSERT_TRUE(q.write_back());
  ASSERT_TRUE(q.trim(LogPosition(120 * 50)));
  EXPECT_EQ(q.min(), QueueOffset(120));
  EXPECT_FALSE(fs.get("/cq/T/0/00000000000000000000"));
  EXPECT_TRUE(fs.get("/cq/T/0/00000000000000002000"));
  ConsumeQueue again(fs, "/cq/T/0", kFileBytes);
  ASSERT_TRUE(again.load(LogPosition(120 * 50), LogPosition(250 * 50)));
  EXPECT_EQ(again.min(), QueueOffset(120));
  EXPECT_EQ(again.max(), QueueOffset(250));
}

TEST(ConsumeQueue, BeginsWhereItsFirstKnownMessageIs) {
  testing::MemoryFileSystem fs;
  ConsumeQueue q(fs, "/cq/T/0", kFileBytes);
  q.append(QueueOffset(1234), entry(7));
  EXPECT_EQ(q.min(), QueueOffset(1234));
  EXPECT_EQ(q.max(), QueueOffset(1235));
  EXPECT_EQ(q.at(QueueOffset(1234))->position, LogPosition(7));
  EXPECT_FALSE(q.at(QueueOffset(1233)));
}

TEST(QueueStore, DurableOnlyAfterTheSync) {
  testing::MemoryFileSystem fs;
  QueueStore store(fs, "/cq", kFileBytes);
  store.append("A", 0, QueueOffset(0), entry(0), LogPosition(50));
  store.append("B", 3, QueueOffset(0), entry(50), LogPosition(100));
  EXPECT_EQ(store.durable_up_to(), LogPosition(0));
  auto work = store.begin_sync();
  ASSERT_TRUE(work);
  EXPECT_EQ(work->files.size(), 2U);
  store.append("A", 0, QueueOffset(1), entry(100), LogPosition(150));
  ASSERT_TRUE(work->run(fs));
  store.complete_sync(*work);
  EXPECT_EQ(store.durable_up_to(), LogPosition(100));
  EXPECT_EQ(store.queue_ids("B"), (std::vector<std::int32_t>{3}));
  ASSERT_TRUE(store.remove_topic("A"));
  EXPECT_EQ(store.find("A", 0), nullptr);
  EXPECT_TRUE(store.begin_sync());
}

constexpr int kPowerCuts = 50;

// Loads what a power cut leaves and expects every one of the 300 entries.
void expect_all_after_a_power_cut(const testing::PowerCutFileSystem& disk, std::uint32_t seed) {
  const auto after = disk.after_power_cut(seed);
  QueueStore store(*after, "/store/cq", kFileBytes);
  ASSERT_TRUE(store.load(LogPosition(0), LogPosition(300)));
  for (std::int64_t i = 0; i < 300; ++i) {
    const auto found = store.get("T", 0).at(QueueOffset(i));
    ASSERT_TRUE(found) << "power cut " << seed << ": " << found.error().message;
    ASSERT_EQ(found->position, LogPosition(i)) << "power cut " << seed;
  }
}

void append_entries(QueueStore& store, std::int64_t from, std::int64_t to) {
  for (std::int64_t i = from; i < to; ++i) {
    store.append("T", 0, QueueOffset(i), entry(i), LogPosition(i + 1));
  }
}

TEST(QueueStore, WhatIsSyncedOutlivesAPowerCut) {
  testing::PowerCutFileSystem disk;
  ASSERT_TRUE(disk.create_directories("/store"));
  ASSERT_TRUE(disk.sync_directory("/"));
  QueueStore store(disk, "/store/cq", kFileBytes);
  ASSERT_TRUE(store.load(LogPosition(0), LogPosition(0)));
  append_entries(store, 0, 300);
  const auto work = store.begin_sync();
  ASSERT_TRUE(work && work->run(disk));
  for (std::uint32_t seed = 0; seed < kPowerCuts; ++seed) expect_all_after_a_power_cut(disk, seed);
}

TEST(QueueStore, WhatAKilledStartMadeIsSyncedByTheNext) {
  testing::PowerCutFileSystem disk;
  ASSERT_TRUE(disk.create_directories("/store"));
  ASSERT_TRUE(disk.sync_directory("/"));
  {
    QueueStore killed(disk, "/store/cq", kFileBytes);
    ASSERT_TRUE(killed.load(LogPosition(0), LogPosition(0)));
    append_entries(killed, 0, 150);
    ASSERT_TRUE(killed.write_back());
  }
  QueueStore store(disk, "/store/cq", kFileBytes);
  ASSERT_TRUE(store.load(LogPosition(0), LogPosition(0), false));
  append_entries(store, 0, 300);
  const auto work = store.begin_sync();
  ASSERT_TRUE(work && work->run(disk));
  for (std::uint32_t seed = 0; seed < kPowerCuts; ++seed) expect_all_after_a_power_cut(disk, seed);
}

}  // namespace
}  // namespace gantry::store
