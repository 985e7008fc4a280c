// SPDX-License-Identifier: Apache-2.0
// Messages by key (12) and by position (33) of a running broker, also of a store that Apache
// RocketMQ left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/bytes.h"
#include "protocol/record.h"
#include "tests/support/apache_index_file.h"
#include "tests/unit/broker/broker_rig.h"

namespace gantry::broker::test {
namespace {

namespace fs = std::filesystem;
using protocol::RequestCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::uint32_t kSlots = 7;
constexpr std::uint32_t kEntries = 100;
constexpr std::string_view kIndexName = "20240102030405006";

protocol::Command by_key(BrokerRig& rig, const std::string& topic, const std::string& key,
                         bool unique = false) {
  Fields fields{{"topic", topic},
                {"key", key},
                {"maxNum", "32"},
                {"beginTimestamp", "0"},
                {"endTimestamp", std::to_string(INT64_MAX)}};
  if (unique) fields["_UNIQUE_KEY_QUERY"] = "true";
  return rig.call(RequestCode::kQueryMessage, fields);
}

std::vector<std::string> found(BrokerRig& rig, const std::string& key) {
  return BrokerRig::bodies(by_key(rig, "T", key));
}

protocol::Command view(BrokerRig& rig, LogPosition position) {
  return rig.call(RequestCode::kViewMessageById, {{"offset", std::to_string(position.v)}});
}

void write_file(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(Query, FindsKeysAndUniqueKeysNewestFirst) {
  BrokerRig rig;
  rig.start();
  rig.create_topic("T");
  rig.send("T", "one",
           "KEYS\x01"
           "a b\x02UNIQ_KEY\x01"
           "U1\x02");
  rig.send("T", "two",
           "KEYS\x01"
           "b\x02UNIQ_KEY\x01"
           "U2\x02");
  EXPECT_THAT(found(rig, "a"), ElementsAre("one"));
  EXPECT_THAT(found(rig, "b"), ElementsAre("two", "one"));
  EXPECT_THAT(BrokerRig::bodies(by_key(rig, "T", "U1", true)), ElementsAre("one"));
  const auto nothing = by_key(rig, "T", "c");
  EXPECT_EQ(nothing.code, protocol::to_int(protocol::ResponseCode::kQueryNotFound));
}

TEST(Query, ReadsWhatIsNotInMemoryOffTheShard) {
  BrokerRig rig;
  rig.start();
  rig.create_topic("T");
  std::vector<Sent> sent;
  for (int i = 0; i < 30; ++i) {
    sent.push_back(rig.send("T", std::to_string(i) + std::string(1000, 'x'), "KEYS\x01k\x02"));
  }
  rig.restart_cold();
  const auto answer = view(rig, sent[3].position);
  ASSERT_EQ(answer.code, 0) << answer.remark.value_or("");
  EXPECT_THAT(BrokerRig::bodies(answer), ElementsAre("3" + std::string(1000, 'x')));
  EXPECT_EQ(found(rig, "k").size(), 30U);
  EXPECT_GT(rig.files.cold_reads, 0);
  EXPECT_EQ(rig.files.blocking_reads, 0);
}

TEST(Query, APositionWithoutARecordIsAnswered) {
  BrokerRig rig;
  rig.start();
  rig.create_topic("T");
  const Sent last = rig.send("T", "body");
  rig.restart_cold();
  for (const LogPosition position :
       {last.position + 1, LogPosition(16384 - 3), LogPosition(1 << 20), LogPosition(-1)}) {
    const auto answer = view(rig, position);
    EXPECT_EQ(answer.code, protocol::to_int(protocol::ResponseCode::kSystemError));
    EXPECT_EQ(answer.remark.value_or(""),
              "can not find message by the offset, " + std::to_string(position.v));
  }
  EXPECT_EQ(rig.files.blocking_reads, 0);
}

// A store as RocketMQ leaves it: two files of the log, the first full, and an index of both that
// also has one key that no record carries, so that its answers can be told from our own.
class TakenOver : public ::testing::Test {
 protected:
  static constexpr int kRecords = 20;

  TakenOver() {
    rig.config.max_hash_slot_num = kSlots;
    rig.config.max_index_num = kEntries;
    write_log();
  }

  void write_log() {
    const std::int64_t file_bytes = rig.config.mapped_file_size_commit_log;
    const std::int64_t began_ms = rig.clock.wall_ms() - 3'600'000;
    std::string log;
    for (int i = 0; i < kRecords; ++i) {
      const std::string n = std::to_string(i);
      const std::string body = "old-" + n + std::string(1000, '.');
      const std::string properties = "KEYS\x01key" + n + "\x02UNIQ_KEY\x01UNIQ" + n + "\x02";
      protocol::RecordFields f;
      f.topic = "T";
      f.body = body;
      f.properties = properties;
      f.queue_offset = QueueOffset(i);
      f.born_timestamp_ms = f.store_timestamp_ms = began_ms + i * 1000;
      f.born_host = f.store_host = *protocol::RecordHost::parse("127.0.0.1", 10911);
      const auto size = protocol::encoded_size(f);
      const std::int64_t left = file_bytes - static_cast<std::int64_t>(log.size()) % file_bytes;
      if (left < static_cast<std::int64_t>(size) + 8) {
        const std::size_t at = log.size();
        log.resize(at + static_cast<std::size_t>(left), '\0');
        store_be(log.data() + at, static_cast<std::uint32_t>(left));
        store_be(log.data() + at + 4, protocol::kBlankMagic);
      }
      f.position = LogPosition(static_cast<std::int64_t>(log.size()));
      log.resize(log.size() + size);
      protocol::encode_record(f, log.data() + f.position.v);
      index.put("T", "UNIQ" + n, f.position.v, f.store_timestamp_ms);
      index.put("T", "key" + n, f.position.v, f.store_timestamp_ms);
      if (i == 2) index.put("T", "only-in-the-index", f.position.v, f.store_timestamp_ms);
    }
    ASSERT_GT(static_cast<std::int64_t>(log.size()), file_bytes);
    log.resize(static_cast<std::size_t>(2 * file_bytes), '\0');
    const auto half = static_cast<std::size_t>(file_bytes);
    write_file(rig.store() / "commitlog" / "00000000000000000000", log.substr(0, half));
    write_file(rig.store() / "commitlog" / "00000000000000016384", log.substr(half));
  }
  void write_index() { write_file(index_file(), index.bytes()); }
  fs::path index_file() const { return rig.store() / "index" / kIndexName; }
  std::vector<std::string> short_bodies(const std::string& key, bool unique = false) {
    auto bodies = BrokerRig::bodies(by_key(rig, "T", key, unique));
    for (std::string& body : bodies) body = body.substr(0, body.find('.'));
    return bodies;
  }
  bool comes_to_be_found(const std::string& key) {
    return rig.eventually([&] { return !short_bodies(key).empty(); });
  }

  BrokerRig rig;
  ::gantry::testing::ApacheIndexFile index{kSlots, kEntries};
};

TEST_F(TakenOver, KeysAreFoundInRocketmqsIndexAndInOurs) {
  write_index();
  rig.start();
  rig.send("T", "new", "KEYS\x01key3\x02");
  EXPECT_THAT(short_bodies("only-in-the-index"), ElementsAre("old-2"));
  EXPECT_THAT(short_bodies("key3"), ElementsAre("new", "old-3"));
  EXPECT_THAT(short_bodies("UNIQ0", true), ElementsAre("old-0"));
  // Of the second file, which is indexed again here.
  EXPECT_THAT(short_bodies("key19"), ElementsAre("old-19"));
}

TEST_F(TakenOver, TheyAreStillFoundAfterOurOwnStops) {
  write_index();
  rig.start();
  rig.restart();
  rig.restart();
  EXPECT_THAT(short_bodies("only-in-the-index"), ElementsAre("old-2"));
  EXPECT_THAT(short_bodies("key19"), ElementsAre("old-19"));
}

TEST_F(TakenOver, WithoutIndexFilesTheLogIsIndexed) {
  rig.start();
  EXPECT_TRUE(comes_to_be_found("key0"));
  EXPECT_THAT(short_bodies("key7"), ElementsAre("old-7"));
  EXPECT_THAT(short_bodies("key19"), ElementsAre("old-19"));
}

TEST_F(TakenOver, WhenIndexFilesVanishLaterTheLogIsIndexed) {
  write_index();
  rig.start();
  rig.stop();
  fs::remove(index_file());
  rig.start();
  EXPECT_TRUE(comes_to_be_found("key0"));
  EXPECT_THAT(short_bodies("only-in-the-index"), IsEmpty());
  EXPECT_THAT(short_bodies("key19"), ElementsAre("old-19"));
}

// RocketMQ's mark of an unclean stop: only files older than its checkpoint's index time count.
TEST_F(TakenOver, AfterACrashOnlyFilesThatTheCheckpointNamesCount) {
  write_index();
  write_file(rig.store() / "abort", "");
  rig.start();
  EXPECT_TRUE(comes_to_be_found("key0"));
  EXPECT_THAT(short_bodies("only-in-the-index"), IsEmpty());
}

TEST_F(TakenOver, AfterACrashAFileThatTheCheckpointNamesIsUsed) {
  write_index();
  write_file(rig.store() / "abort", "");
  std::string checkpoint(4096, '\0');
  for (const std::size_t at : {0, 8, 16}) store_be(checkpoint.data() + at, rig.clock.wall_ms());
  write_file(rig.store() / "checkpoint", checkpoint);
  rig.start();
  EXPECT_THAT(short_bodies("only-in-the-index"), ElementsAre("old-2"));
}

TEST_F(TakenOver, WhatIsTrimmedIsNotServedAndIndexFilesBelowGo) {
  write_index();
  rig.start();
  rig.config.file_reserved_time_hours = 1;
  rig.create_topic("T");
  while (rig.send("T", std::string(1000, 'n'), "KEYS\x01new\x02").position.v < 4 * 16384) continue;
  rig.clock.move(std::chrono::hours(100));
  ASSERT_TRUE(fs::exists(index_file()));
  ASSERT_EQ(rig.call(RequestCode::kDeleteExpiredCommitLog).code, 0);
  EXPECT_TRUE(rig.eventually([&] { return !fs::exists(index_file()); }));
  EXPECT_THAT(short_bodies("only-in-the-index"), IsEmpty());
  EXPECT_THAT(short_bodies("key19"), IsEmpty());
}

}  // namespace
}  // namespace gantry::broker::test
