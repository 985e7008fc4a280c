// SPDX-License-Identifier: Apache-2.0
// What a start makes of a log that was cut, torn or damaged.
#include <gtest/gtest.h>

#include <random>

#include "raft/epoch_table.h"
#include "replog/tail_cache.h"
#include "tests/unit/replog/log_test_util.h"

namespace gantry::replog {
namespace {

constexpr const char* kFirst = "/store/commitlog/00000000000000000000";

struct Written {
  std::vector<std::string> bodies;
  std::vector<LogPosition> positions;
  LogPosition end;
};

Written write(testing::MemoryFileSystem& fs, int count) {
  Written w;
  LogRig rig(fs);
  EXPECT_TRUE(rig.start());
  rig.on_shard([&] {
    for (int i = 0; i < count; ++i) {
      w.bodies.push_back("body-" + std::to_string(i));
      w.positions.push_back(*rig.append(w.bodies.back()));
    }
    w.end = rig.log->end();
  });
  return w;
}

TEST(Recovery, TornTailIsCutAndNothingOfItStays) {
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    testing::MemoryFileSystem fs;
    const Written w = write(fs, 20);
    auto file = fs.get(kFirst);
    const std::size_t n = 1 + random() % 300;
    for (std::size_t i = 0; i < n; ++i)
      (*file)[static_cast<std::size_t>(w.end.v) + i] = static_cast<char>(random());
    LogRig rig(fs);
    ASSERT_TRUE(rig.start());
    EXPECT_EQ(rig.seen.messages(), w.bodies);
    EXPECT_EQ(rig.scan.end, w.end);
    rig.on_shard([&] { ASSERT_TRUE(rig.log->stop()); });
    const std::string_view behind =
        std::string_view(*file).substr(static_cast<std::size_t>(rig.log->end().v));
    EXPECT_EQ(behind.find_first_not_of('\0'), std::string_view::npos) << "bytes behind the end";
  }
}

TEST(Recovery, ADamagedRecordIsNamedAndTheRestIsKept) {
  testing::MemoryFileSystem fs;
  const Written w = write(fs, 30);
  for (const std::size_t victim : {3U, 17U, 28U}) {
    (*fs.get(kFirst))[static_cast<std::size_t>(w.positions[victim].v) + 90] ^= 1;
  }
  LogRig rig(fs);
  ASSERT_TRUE(rig.start());
  EXPECT_EQ(rig.scan.damaged.size(), 3U);
  EXPECT_EQ(rig.scan.damaged[0].from, w.positions[3]);
  EXPECT_EQ(rig.scan.damaged[0].to, w.positions[4]);
  EXPECT_EQ(rig.seen.messages().size(), 27U);
  EXPECT_EQ(rig.scan.end, w.end);
}

TEST(Recovery, ADestroyedHeaderIsSteppedOver) {
  testing::MemoryFileSystem fs;
  const Written w = write(fs, 30);
  auto file = fs.get(kFirst);
  for (std::size_t i = 0; i < 40; ++i)
    (*file)[static_cast<std::size_t>(w.positions[10].v) + i] = '\x77';
  LogRig rig(fs);
  ASSERT_TRUE(rig.start());
  ASSERT_EQ(rig.scan.damaged.size(), 1U);
  EXPECT_EQ(rig.scan.damaged[0].to, w.positions[11]);
  EXPECT_EQ(rig.seen.messages().size(), 29U);
}

TEST(Recovery, DamageIsNeverServedOnRead) {
  testing::MemoryFileSystem fs;
  const Written w = write(fs, 10);
  LogRig rig(fs);
  ASSERT_TRUE(rig.start());
  (*fs.get(kFirst))[static_cast<std::size_t>(w.positions[5].v) + 89] ^= 4;  // after the start
  rig.on_shard([&] {
    EXPECT_TRUE(rig.log->read_record_blocking(w.positions[4]));
    const auto bad = rig.log->read_record_blocking(w.positions[5]);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, ErrorCode::kCorrupt);
  });
}

TEST(Recovery, WrongFileSizeAndGapsAreRefusedByName) {
  testing::MemoryFileSystem fs;
  fs.put("/store/commitlog/00000000000000000000", std::string(4096, '\0'));
  LogRig sized(fs);
  const auto refused = sized.start();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("mappedFileSizeCommitLog"), std::string::npos);

  testing::MemoryFileSystem gap;
  gap.put("/store/commitlog/00000000000000000000", std::string(8192, '\0'));
  gap.put("/store/commitlog/00000000000000016384", std::string(8192, '\0'));
  LogRig rig(gap);
  const auto missing = rig.start();
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("00000000000000008192"), std::string::npos);
}

TEST(EpochTable, KnowsWhoWroteWhat) {
  EpochTable t;
  EXPECT_TRUE(t.apache_at(LogPosition(5)));
  t.add({Term(1), LogPosition(0), true});
  t.add({Term(2), LogPosition(100), false});
  t.add({Term(3), LogPosition(200), false});
  EXPECT_TRUE(t.apache_at(LogPosition(99)));
  EXPECT_FALSE(t.apache_at(LogPosition(100)));
  EXPECT_EQ(t.find(LogPosition(150))->term, Term(2));
  t.cut(LogPosition(200));
  EXPECT_EQ(t.last_term(), Term(2));
  t.trim(LogPosition(120));
  EXPECT_EQ(t.all().size(), 1U);
}

TEST(TailCache, ContiguousRecordsAndEviction) {
  TailCache cache(2 * TailCache::kChunkBytes);
  LogPosition at(0);
  const std::string record(600 << 10, 'r');
  for (int i = 0; i < 10; ++i) {
    record.copy(cache.reserve(at, record.size()), record.size());
    cache.publish(record.size());
    at += static_cast<std::int64_t>(record.size());
  }
  EXPECT_EQ(cache.at(LogPosition(0)).substr(0, record.size()), record);
  cache.evict(at);
  EXPECT_LE(cache.bytes(), 2 * TailCache::kChunkBytes);
  EXPECT_TRUE(cache.at(LogPosition(0)).empty());
  std::vector<io::Slice> slices;
  cache.collect(cache.begin(), at, slices);
  std::size_t total = 0;
  for (const auto& s : slices) total += s.size;
  EXPECT_EQ(static_cast<std::int64_t>(total), at - cache.begin());
}

}  // namespace
}  // namespace gantry::replog
