// SPDX-License-Identifier: Apache-2.0
#include "namesrv/settings/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.h"
#include "io/file_system.h"

namespace gantry::namesrv {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

config::NamesrvConfig some_config() {
  config::NamesrvConfig config;
  config.kv_config_path = "/data/kvConfig.json";
  config.config_store_path = "/data/namesrv.properties";
  return config;
}

class SettingsTest : public ::testing::Test {
 protected:
  test::ManualFileWriter writer;
  Settings settings{some_config(), writer};
};

TEST_F(SettingsTest, ChangeIsStoredThenSeen) {
  std::vector<bool> seen;
  settings.on_change(
      [&](const config::NamesrvConfig& c) { seen.push_back(c.order_message_enable); });
  bool ok = false;
  settings.change({{"orderMessageEnable", "true"}, {"scanNotActiveBrokerInterval", "7000"}},
                  [&](const Result<void>& r) { ok = r.has_value(); });
  EXPECT_FALSE(settings.config().order_message_enable);
  ASSERT_EQ(writer.pending.size(), 1U);
  EXPECT_EQ(writer.pending[0].path, "/data/namesrv.properties");
  const std::string stored = writer.finish();
  EXPECT_THAT(stored, HasSubstr("orderMessageEnable=true\n"));
  EXPECT_THAT(stored, HasSubstr("scanNotActiveBrokerInterval=7000\n"));
  EXPECT_TRUE(ok);
  EXPECT_TRUE(settings.config().order_message_enable);
  EXPECT_EQ(settings.config().scan_not_active_broker_interval_ms, 7000);
  EXPECT_EQ(seen, std::vector<bool>{true});
}

TEST_F(SettingsTest, FailedWriteChangesNothing) {
  std::string error;
  settings.change({{"orderMessageEnable", "true"}},
                  [&](const Result<void>& r) { error = r.error().message; });
  writer.finish(make_error(ErrorCode::kDiskFull, "disk full"));
  EXPECT_EQ(error, "disk full");
  EXPECT_FALSE(settings.config().order_message_enable);
}

TEST_F(SettingsTest, ChecksNameTheMistake) {
  EXPECT_TRUE(settings.check({{"enableTopicList", "false"}}));
  EXPECT_TRUE(settings.check({{"clientRequestThreadPoolNums", "4"}})) << "a key of RocketMQ";

  const auto refused = settings.check({{"kvConfigPath", "/elsewhere"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(refused.error().message, "Can not update config in black list.");

  const auto unknown = settings.check({{"enableTopicLost", "true"}});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("enableTopicLost"));
  EXPECT_THAT(unknown.error().message, HasSubstr("did you mean 'enableTopicList'"));

  const auto bad = settings.check({{"enableTopicList", "maybe"}});
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("enableTopicList"));
}

TEST_F(SettingsTest, OneBadChangeRefusesAll) {
  bool answered = false;
  settings.change({{"orderMessageEnable", "true"}, {"nonsense", "1"}}, [&](const Result<void>& r) {
    answered = true;
    EXPECT_FALSE(r);
  });
  EXPECT_TRUE(answered);
  EXPECT_THAT(writer.pending, IsEmpty());
  EXPECT_FALSE(settings.config().order_message_enable);
}

TEST_F(SettingsTest, ParsesJavaProperties) {
  const auto changes = Settings::parse("a=1\n# comment\nb : x\\\n  y\n");
  ASSERT_TRUE(changes);
  ASSERT_EQ(changes->size(), 2U);
  EXPECT_EQ((*changes)[0].key, "a");
  EXPECT_EQ((*changes)[1].value, "xy");
  EXPECT_FALSE(Settings::parse("a=\\u12"));
}

// What code 318 stores must be a file the NameServer starts from.
TEST_F(SettingsTest, StoredFileLoadsAgain) {
  settings.change({{"orderMessageEnable", "true"}, {"clientRequestThreadPoolNums", "4"}},
                  [](const Result<void>& r) { EXPECT_TRUE(r); });
  test::TempDirectory dir;
  const std::string path = dir.file("namesrv.properties");
  ASSERT_TRUE(io::write_file_atomically(io::posix_file_system(), path, writer.finish()));
  const auto loaded = config::load_namesrv_config({.file = path, .overrides = {}});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE(loaded->config.order_message_enable);
  ASSERT_EQ(loaded->warnings.size(), 1U) << "only the key that was set";
  EXPECT_THAT(loaded->warnings[0], HasSubstr("clientRequestThreadPoolNums"));
  EXPECT_THAT(loaded->warnings[0], Not(HasSubstr("serverWorkerThreads")));
  EXPECT_EQ(loaded->config.kv_config_path, "/data/kvConfig.json");
}

}  // namespace
}  // namespace gantry::namesrv
