// SPDX-License-Identifier: Apache-2.0
// When log files go: the rules as functions, and a broker whose clock and disk the test sets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "broker/retention/retention_rules.h"
#include "tests/unit/broker/broker_rig.h"

namespace gantry::broker::test {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;
using namespace std::chrono_literals;

config::BrokerConfig rules() {
  config::BrokerConfig config;
  config.delete_when = {"04", "23"};
  config.disk_max_used_space_ratio = 75;
  config.disk_space_clean_forcibly_ratio = 85;
  config.disk_space_warning_level_ratio = 90;
  config.clean_file_forcibly_enable = true;
  return config;
}

TEST(RetentionRules, AtTheHoursOfDeleteWhen) {
  EXPECT_EQ(retention_reach(rules(), 10, 4, false), Reach::kExpired);
  EXPECT_EQ(retention_reach(rules(), 10, 23, false), Reach::kExpired);
  EXPECT_EQ(retention_reach(rules(), 10, 5, false), Reach::kNothing);
  EXPECT_EQ(retention_reach(rules(), 10, 0, false), Reach::kNothing);
}

TEST(RetentionRules, AtAnyHourWhenAskedOrTheDiskIsFull) {
  EXPECT_EQ(retention_reach(rules(), 10, 5, true), Reach::kExpired);
  EXPECT_EQ(retention_reach(rules(), 74.9, 5, false), Reach::kNothing);
  EXPECT_EQ(retention_reach(rules(), 75, 5, false), Reach::kExpired);
}

TEST(RetentionRules, TheOldestFileWhenTheDiskIsFuller) {
  EXPECT_EQ(retention_reach(rules(), 84.9, 5, false), Reach::kExpired);
  EXPECT_EQ(retention_reach(rules(), 85, 5, false), Reach::kOldest);
  auto config = rules();
  config.clean_file_forcibly_enable = false;
  EXPECT_EQ(retention_reach(config, 99, 5, false), Reach::kExpired);
}

TEST(RetentionRules, MessagesAreRefusedWhenItIsFullest) {
  EXPECT_FALSE(refuses_messages(rules(), 89.9));
  EXPECT_TRUE(refuses_messages(rules(), 90));
}

TEST(RetentionRules, AnUnknownDiskIsNotFull) {
  EXPECT_EQ(retention_reach(rules(), -100, 5, false), Reach::kNothing);
  EXPECT_FALSE(refuses_messages(rules(), -100));
}

class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest() {
    rig.config.file_reserved_time_hours = 72;
    rig.config.disk_max_used_space_ratio = 75;
  }
  void start() {
    rig.start();
    rig.create_topic("T");
  }
  static constexpr std::int64_t kFile = 16384;

  // Sends until a message lies in the file of that number; the clock stands meanwhile.
  void fill_up_to_file(std::int64_t number) {
    while (rig.send("T", std::string(1000, 'x')).position.v < number * kFile) continue;
  }
  std::int64_t begin() {
    const auto info = rig.call(RequestCode::kGetBrokerRuntimeInfo).body;
    const std::size_t at = info.find("\"commitLogMinOffset\":\"");
    EXPECT_NE(at, std::string::npos) << info;
    return std::stoll(info.substr(at + 22));
  }
  bool begins_at_file(std::int64_t number) {
    return rig.eventually([&] { return begin() == number * kFile; });
  }
  // Deletes as a tool asks for it, and returns when the answer is there.
  void delete_expired() { ASSERT_EQ(rig.call(RequestCode::kDeleteExpiredCommitLog).code, 0); }
  BrokerRig rig;
};

TEST_F(RetentionTest, AFileGoesWhenItsLastMessageIsOld) {
  start();
  fill_up_to_file(2);
  rig.clock.move(71h);
  delete_expired();
  fill_up_to_file(3);  // the log goes on after a long silence
  rig.clock.move(2h);  // now the messages of files 0 and 1 and the first ones of 2 are 73 hours old
  EXPECT_EQ(begin(), 0);
  delete_expired();
  EXPECT_TRUE(begins_at_file(2));  // the last ones of file 2 are two hours old
}

// File 1 is followed by a message that is young, but holds none itself.
TEST_F(RetentionTest, ARequestDuringARoundIsNotForgotten) {
  start();
  fill_up_to_file(2);
  delete_expired();  // finds nothing, perhaps not yet
  rig.clock.move(73h);
  delete_expired();
  EXPECT_TRUE(begins_at_file(2));
}

TEST_F(RetentionTest, SilenceBeforeTheNextFileDoesNotKeepAFile) {
  start();
  fill_up_to_file(1);
  LogPosition last;
  while (last.v < 2 * kFile - 900) last = rig.send("T", std::string(100, 'y')).position;
  rig.clock.move(100h);
  fill_up_to_file(2);
  delete_expired();
  EXPECT_TRUE(begins_at_file(2));
}

TEST_F(RetentionTest, TheFileBeingWrittenStaysHoweverOld) {
  start();
  fill_up_to_file(1);
  rig.clock.move(1000h);
  delete_expired();
  EXPECT_TRUE(begins_at_file(1));
  delete_expired();
  EXPECT_EQ(begin(), kFile);
  EXPECT_EQ(rig.send("T", "more").offset.v > 0, true);
}

TEST_F(RetentionTest, YoungFilesStay) {
  start();
  fill_up_to_file(3);
  rig.clock.move(71h);
  delete_expired();
  fill_up_to_file(4);
  EXPECT_EQ(begin(), 0);
}

TEST_F(RetentionTest, AtTheHourOfDeleteWhenOnly) {
  start();
  fill_up_to_file(2);
  rig.clock.move(100h);
  const std::time_t now = rig.clock.wall_ms() / 1000;
  std::tm local{};
  localtime_r(&now, &local);
  const auto hour = [&](int ahead) {
    const int h = (local.tm_hour + ahead) % 24;
    return (h < 10 ? "0" : "") + std::to_string(h);
  };
  rig.config.delete_when = {hour(5), hour(9)};
  rig.restart();
  fill_up_to_file(3);
  EXPECT_EQ(begin(), 0);
  rig.config.delete_when = {hour(0), hour(1)};  // the hour may end meanwhile
  rig.restart();
  EXPECT_TRUE(begins_at_file(2));
}

TEST_F(RetentionTest, AnyHourOnADiskFullerThanAllowed) {
  start();
  fill_up_to_file(2);
  rig.clock.move(100h);
  rig.files.disk_used = 0.76;
  rig.restart();
  EXPECT_TRUE(begins_at_file(2));
}

TEST_F(RetentionTest, YoungFilesGoOneByOneOnAFullDisk) {
  start();
  fill_up_to_file(3);
  rig.files.disk_used = 0.86;
  rig.restart();
  EXPECT_TRUE(begins_at_file(1));
  rig.restart();
  EXPECT_TRUE(begins_at_file(2));
  rig.restart();
  EXPECT_TRUE(begins_at_file(3));
  rig.restart();
  EXPECT_EQ(begin(), 3 * kFile);
}

TEST_F(RetentionTest, MessagesAreRefusedOnAFullDiskAndTakenAgain) {
  start();
  rig.send("T", "first");
  rig.files.disk_used = 0.95;
  delete_expired();  // a round looks at the disk
  const auto send = [&] {
    return rig.call(RequestCode::kSendMessage, {{"producerGroup", "p"},
                                                {"topic", "T"},
                                                {"defaultTopic", "TBW102"},
                                                {"defaultTopicQueueNums", "4"},
                                                {"queueId", "0"},
                                                {"sysFlag", "0"},
                                                {"bornTimestamp", "1"},
                                                {"flag", "0"}});
  };
  EXPECT_EQ(send().code, protocol::to_int(ResponseCode::kServiceNotAvailable));
  rig.files.disk_used = 0.5;
  delete_expired();
  EXPECT_EQ(send().code, 0);
}

TEST_F(RetentionTest, TheSearchForOldFilesDoesNotReadOnTheShard) {
  start();
  fill_up_to_file(3);
  rig.restart_cold();
  rig.clock.move(100h);
  delete_expired();
  EXPECT_TRUE(begins_at_file(3));
  EXPECT_GT(rig.files.cold_reads, 0);
  EXPECT_EQ(rig.files.blocking_reads, 0);
}

}  // namespace
}  // namespace gantry::broker::test
