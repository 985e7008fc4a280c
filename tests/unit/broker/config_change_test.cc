// SPDX-License-Identifier: Apache-2.0
// Code 25: what a change of the configuration does to the running broker and to its file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "log/log.h"
#include "tests/unit/broker/broker_rig.h"

namespace gantry::broker::test {
namespace {

namespace fs = std::filesystem;
using protocol::RequestCode;
using protocol::ResponseCode;
using ::testing::HasSubstr;

class ConfigChange : public ::testing::Test {
 protected:
  ~ConfigChange() override { log::set_level(level_); }
  void start_with(const std::string& name, const std::string& text) {
    rig.config_file = (rig.directory() / name).string();
    std::ofstream(rig.config_file) << text;
    rig.start();
  }
  protocol::Command change(const std::string& properties) {
    return rig.call(RequestCode::kUpdateBrokerConfig, {}, properties);
  }
  std::string stored() const {
    std::ifstream file(rig.config_file);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string shown() { return rig.call(RequestCode::kGetBrokerConfig).body; }

  BrokerRig rig;

 private:
  const log::Level level_ = log::level();
};

TEST_F(ConfigChange, IsWrittenToAPropertiesFileAndNothingElseIsTouched) {
  start_with("broker.conf",
             "# ours\nbrokerName=broker-a\nmyOwnKey = kept \n\nfileReservedTime=48\n");
  const auto answer = change("fileReservedTime=24\nlongPollingEnable=false\n");
  ASSERT_EQ(answer.code, 0);
  EXPECT_EQ(answer.remark.value_or(""), "");
  EXPECT_EQ(stored(),
            "# ours\nbrokerName=broker-a\nmyOwnKey = kept \n\nfileReservedTime=24\n"
            "longPollingEnable=false\n");
  EXPECT_THAT(shown(), HasSubstr("fileReservedTime=24\n"));
}

TEST_F(ConfigChange, IsWrittenToAYamlFile) {
  start_with("broker.yaml", "# ours\nbrokerName: broker-a  # a name\nfileReservedTime: 48\n");
  ASSERT_EQ(change("fileReservedTime=24\n").code, 0);
  EXPECT_EQ(stored(), "# ours\nbrokerName: broker-a  # a name\nfileReservedTime: \"24\"\n");
}

TEST_F(ConfigChange, ALinkToTheFileStays) {
  const fs::path real = rig.directory() / "real.conf";
  std::ofstream(real) << "fileReservedTime=48\n";
  fs::create_symlink(real, rig.directory() / "link.conf");
  rig.config_file = (rig.directory() / "link.conf").string();
  rig.start();
  ASSERT_EQ(change("fileReservedTime=24\n").code, 0);
  EXPECT_TRUE(fs::is_symlink(rig.config_file));
  EXPECT_EQ(stored(), "fileReservedTime=24\n");
}

TEST_F(ConfigChange, LogLevelIsLive) {
  start_with("broker.conf", "");
  ASSERT_EQ(change("logLevel=debug\n").code, 0);
  EXPECT_EQ(log::level(), log::Level::kDebug);
  EXPECT_EQ(stored(), "logLevel=debug\n");
}

TEST_F(ConfigChange, SaysWhatTakesEffectAtTheNextStart) {
  start_with("broker.conf", "");
  const auto answer = change("listenPort=4711\nfileReservedTime=24\nflushDiskType=SYNC_FLUSH\n");
  ASSERT_EQ(answer.code, 0);
  EXPECT_EQ(answer.remark.value_or(""),
            "takes effect at the next start: listenPort, flushDiskType");
  EXPECT_THAT(stored(), HasSubstr("listenPort=4711\n"));
}

TEST_F(ConfigChange, ABadValueChangesNothing) {
  start_with("broker.conf", "fileReservedTime=48\n");
  const auto answer = change("fileReservedTime=24\nlongPollingEnable=perhaps\n");
  EXPECT_EQ(answer.code, protocol::to_int(ResponseCode::kSystemError));
  EXPECT_THAT(answer.remark.value_or(""), HasSubstr("longPollingEnable"));
  EXPECT_EQ(stored(), "fileReservedTime=48\n");
  EXPECT_THAT(shown(), HasSubstr("fileReservedTime=72\n"));  // the rig does not read the file
}

TEST_F(ConfigChange, KeysOnTheBlackListAreRefused) {
  start_with("broker.conf", "");
  const auto answer = change("configBlackList=\n");
  EXPECT_EQ(answer.code, protocol::to_int(ResponseCode::kNoPermission));
  EXPECT_EQ(answer.remark.value_or(""), "Can not update config in black list.");
  EXPECT_EQ(stored(), "");
}

TEST_F(ConfigChange, UnknownKeysAreNamedAndNotWritten) {
  start_with("broker.conf", "");
  const auto answer = change("noSuchKey=1\n");
  ASSERT_EQ(answer.code, 0);
  EXPECT_EQ(answer.remark.value_or(""), "unknown and ignored: noSuchKey");
  EXPECT_EQ(stored(), "");
}

TEST_F(ConfigChange, WithoutAFileItIsLiveAndSaysThatItIsNotStored) {
  rig.start();
  const auto answer = change("fileReservedTime=24\n");
  ASSERT_EQ(answer.code, 0);
  EXPECT_EQ(answer.remark.value_or(""),
            "not stored, lost at the next start: the broker was started without --config");
  EXPECT_THAT(shown(), HasSubstr("fileReservedTime=24\n"));
}

TEST_F(ConfigChange, AFileThatCannotTakeItStaysAndTheChangeIsLive) {
  start_with("broker.yaml", "{brokerName: broker-a, fileReservedTime: 48}\n");
  const auto answer = change("fileReservedTime=24\n");
  ASSERT_EQ(answer.code, 0);
  EXPECT_THAT(answer.remark.value_or(""),
              HasSubstr("not stored, lost at the next start: " + rig.config_file));
  EXPECT_EQ(stored(), "{brokerName: broker-a, fileReservedTime: 48}\n");
  EXPECT_THAT(shown(), HasSubstr("fileReservedTime=24\n"));
}

}  // namespace
}  // namespace gantry::broker::test
