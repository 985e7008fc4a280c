// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/directory_lock.h"
#include "replog/internal_topic.h"
#include "replog/log_files.h"
#include "tests/unit/cli/fake_cluster.h"

namespace gantry::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kFileBytes = 8192;

// A store with one file of 20 records.
class LogTest : public testing::Test {
 protected:
  LogTest() {
    root_ =
        fs::path(testing::TempDir()) /
        ("cli_log_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(root_);
    auto log = replog::LogFiles::open(io::posix_file_system(),
                                      {(root_ / "commitlog").string(), kFileBytes});
    EXPECT_TRUE(log) << log.error().message;
    EXPECT_TRUE((*log)->extend());
    for (int i = 0; i < 20; ++i) {
      TestMessage message;
      message.topic = i % 2 == 0 ? "orders" : "bills";
      message.offset = i / 2;
      message.position = end_;
      message.tag = "t" + std::to_string(i);
      const std::string bytes = record(message);
      const io::Slice slice{bytes.data(), bytes.size()};
      EXPECT_TRUE((*log)->write(LogPosition(end_), {&slice, 1}));
      positions_.push_back(end_);
      end_ += static_cast<std::int64_t>(bytes.size());
    }
  }
  ~LogTest() override { fs::remove_all(root_); }

  void overwrite(std::int64_t position, const std::string& bytes) {
    std::fstream file(root_ / "commitlog" / replog::position_file_name(0),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(position);
    file << bytes;
  }
  Ran gantry_log(const std::string& command, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"log", command, root_.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_gantry(arguments);
  }

  fs::path root_;
  std::vector<std::int64_t> positions_;
  std::int64_t end_ = 0;
};

TEST_F(LogTest, AnIntactLogIsCodeZero) {
  Ran ran = gantry_log("verify");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Every record is intact"));
  ran = gantry_log("verify", {"--json"});
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["records"], 20);
  EXPECT_EQ(shown["end"], end_);
  EXPECT_EQ(shown["ok"], true);
}

TEST_F(LogTest, TheCommitlogDirectoryWillDo) {
  EXPECT_EQ(run_gantry({"log", "verify", (root_ / "commitlog").string()}).code, 0);
}

TEST_F(LogTest, DamageIsNamedAndCodeOne) {
  overwrite(positions_[5] + 88, "#");  // in the body
  const Ran ran = gantry_log("verify", {"--json"});
  EXPECT_EQ(ran.code, 1);
  const json shown = json::parse(ran.out);
  ASSERT_EQ(shown["damaged"].size(), 1U);
  EXPECT_EQ(shown["damaged"][0]["from"], positions_[5]);
  EXPECT_EQ(shown["damaged"][0]["to"], positions_[6]);
  EXPECT_FALSE(shown["damaged"][0]["reason"].get<std::string>().empty());
  EXPECT_EQ(shown["records"], 19);
  EXPECT_THAT(gantry_log("verify").out, HasSubstr(std::to_string(positions_[5])));
}

TEST_F(LogTest, ATornEndIsCodeOne) {
  overwrite(end_, std::string("\x00\x00\x00\x70\xDA\xA3\x20\xA7 and nothing more", 25));
  const Ran ran = gantry_log("verify", {"--json"});
  EXPECT_EQ(ran.code, 1);
  const json shown = json::parse(ran.out);
  EXPECT_TRUE(shown["damaged"].empty());
  EXPECT_FALSE(shown["tornEnd"].is_null());
  EXPECT_EQ(shown["end"], end_);
}

TEST_F(LogTest, VerifyChangesNothing) {
  const fs::path file = root_ / "commitlog" / replog::position_file_name(0);
  const auto before = fs::last_write_time(file);
  // A file whose allocation was interrupted: a starting broker would remove it.
  const fs::path half = root_ / "commitlog" / replog::position_file_name(kFileBytes);
  std::ofstream(half) << "x";
  const Ran ran = gantry_log("verify");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("is left out"));
  EXPECT_TRUE(fs::exists(half));
  EXPECT_EQ(fs::last_write_time(file), before);
}

TEST_F(LogTest, AStoreInUseIsRefusedUnlessLive) {
  const auto lock = io::DirectoryLock::acquire(root_.string());
  ASSERT_TRUE(lock);
  Ran ran = gantry_log("verify");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("--live"));
  ran = gantry_log("verify", {"--live"});
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST_F(LogTest, NoLogIsCodeThree) {
  EXPECT_EQ(run_gantry({"log", "verify", (root_ / "nothing").string()}).code, 3);
  fs::create_directories(root_ / "empty");
  EXPECT_EQ(run_gantry({"log", "dump", (root_ / "empty").string()}).code, 3);
}

TEST_F(LogTest, DumpListsRecords) {
  Ran ran = gantry_log("dump", {"--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  json shown = json::parse(ran.out);
  ASSERT_EQ(shown["records"].size(), 20U);
  EXPECT_EQ(shown["records"][3]["position"], positions_[3]);
  EXPECT_EQ(shown["records"][3]["kind"], "message");
  EXPECT_FALSE(shown["records"][3].contains("body"));
  ran = gantry_log("dump", {"--topic", "bills", "--count", "2", "--body"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("t1"));
  EXPECT_THAT(ran.out, HasSubstr("t3"));
  EXPECT_THAT(ran.out, Not(HasSubstr("t5")));
  EXPECT_THAT(ran.out, HasSubstr("    hello\n"));
}

TEST_F(LogTest, DumpOfARange) {
  const Ran ran = gantry_log("dump", {"--json", "--from", std::to_string(positions_[4]), "--to",
                                      std::to_string(positions_[7])});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(json::parse(ran.out)["records"].size(), 3U);
}

TEST_F(LogTest, DumpTellsOfDamage) {
  overwrite(positions_[5] + 88, "#");
  const Ran ran = gantry_log("dump", {"--json"});
  EXPECT_EQ(ran.code, 1);
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["records"].size(), 19U);
  EXPECT_EQ(shown["damaged"].size(), 1U);
}

}  // namespace
}  // namespace gantry::test
