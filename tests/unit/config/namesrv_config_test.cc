// SPDX-License-Identifier: Apache-2.0
#include "config/namesrv_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/rocketmq_keys.h"
#include "config/source.h"
#include "temporary_file.h"

namespace gantry::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const HostFacts kHost{
    .host_name = "node-1", .ipv4 = "10.0.0.7", .home = "/home/u", .namesrv_addr = ""};

std::map<std::string, std::string> shown(const NamesrvConfig& config) {
  std::map<std::string, std::string> values;
  const auto entries = parse_properties(to_properties_text(config)).value();
  for (const Entry& entry : entries) {
    values[entry.key] = entry.value;
  }
  return values;
}

TEST(NamesrvConfig, defaults) {
  const auto loaded = load_namesrv_config({}, kHost);
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->warnings, IsEmpty());
  EXPECT_EQ(loaded->config.listen_port, 9876);
  EXPECT_EQ(loaded->config.kv_config_path, "/home/u/namesrv/kvConfig.json");
  EXPECT_EQ(loaded->config.config_store_path, "/home/u/namesrv/namesrv.properties");
}

TEST(NamesrvConfig, every_default_is_the_one_of_rocketmq) {
  const auto values = shown(
      load_namesrv_config(
          {}, {.host_name = "h", .ipv4 = "1.2.3.4", .home = "${user.home}", .namesrv_addr = ""})
          ->config);
  for (const OptionSpec& spec : namesrv_options()) {
    const RocketmqKey* key =
        find_rocketmq_key(spec.key, owners_of({KeyOwner::kNamesrv, KeyOwner::kServer}));
    EXPECT_EQ(key == nullptr, spec.gantry_only) << spec.key;
    // NamesrvStartup sets the port to 9876; the field's own default is 0.
    if (key == nullptr || key->default_text == nullptr || spec.key == "listenPort") continue;
    EXPECT_EQ(values.at(std::string(spec.key)), key->default_text) << spec.key;
  }
}

TEST(NamesrvConfig, file_mistakes_and_ignored_keys) {
  const TemporaryFile good(".conf", "listenPort=9999\ndefaultThreadPoolNums=4\n");
  const auto loaded = load_namesrv_config({.file = good.path(), .overrides = {}}, kHost);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.listen_port, 9999);
  ASSERT_EQ(loaded->warnings.size(), 1U);
  EXPECT_THAT(loaded->warnings[0], HasSubstr("ignored: defaultThreadPoolNums (line 2)"));

  // A key of the broker is a mistake here.
  const TemporaryFile bad(".conf", "brokerName=a\n");
  const auto refused = load_namesrv_config({.file = bad.path(), .overrides = {}}, kHost);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr(":1: unknown key \"brokerName\""));

  const auto ports = load_namesrv_config({.file = "", .overrides = {"httpPort=9876"}}, kHost);
  ASSERT_FALSE(ports);
  EXPECT_EQ(ports.error().message, "listenPort and httpPort are both 9876");
}

TEST(NamesrvConfig, changes_at_run_time) {
  NamesrvConfig config = load_namesrv_config({}, kHost)->config;
  EXPECT_EQ(update(config, "orderMessageEnable", "true"), Updated::kLive);
  EXPECT_TRUE(config.order_message_enable);
  EXPECT_EQ(update(config, "listenPort", "1234"), Updated::kRestart);
  EXPECT_EQ(config.listen_port, 9876);
  EXPECT_EQ(shown(config).at("listenPort"), "1234");
  EXPECT_EQ(update(config, "kvConfigPath", "/x"), Updated::kRefused);
  EXPECT_EQ(update(config, "defaultThreadPoolNums", "4"), Updated::kIgnored);
  EXPECT_EQ(update(config, "brokerName", "4"), Updated::kUnknown);
  EXPECT_FALSE(update(config, "listenPort", "x"));
}

TEST(NamesrvConfig, shows_the_keys_of_rocketmq) {
  const auto values = shown(load_namesrv_config({}, kHost)->config);
  EXPECT_EQ(values.at("scanNotActiveBrokerInterval"), "5000");
  EXPECT_EQ(values.at("unRegisterBrokerQueueCapacity"), "3000");
  EXPECT_EQ(values.at("serverWorkerThreads"), "8");
  EXPECT_FALSE(values.contains("brokerName"));
}

}  // namespace
}  // namespace gantry::config
