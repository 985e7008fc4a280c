// SPDX-License-Identifier: Apache-2.0
#include "config/broker_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "config/rocketmq_keys.h"
#include "config/source.h"
#include "temporary_file.h"

namespace gantry::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const HostFacts kHost{
    .host_name = "node-1", .ipv4 = "10.0.0.7", .home = "/home/u", .namesrv_addr = ""};

Result<Loaded<BrokerConfig>> load(std::string_view text,
                                  const std::vector<std::string>& overrides = {}) {
  const TemporaryFile file(".conf", text);
  return load_broker_config({.file = file.path(), .overrides = overrides}, kHost);
}

// The error with the file's (random) name shortened to "FILE".
std::string mistake(std::string_view text, const std::vector<std::string>& overrides = {}) {
  const TemporaryFile file(".conf", text);
  const auto loaded = load_broker_config({.file = file.path(), .overrides = overrides}, kHost);
  if (loaded) return "accepted";
  std::string message = loaded.error().message;
  for (std::size_t at; (at = message.find(file.path())) != std::string::npos;) {
    message.replace(at, file.path().size(), "FILE");
  }
  return message;
}

std::map<std::string, std::string> shown(const BrokerConfig& config) {
  std::map<std::string, std::string> values;
  const auto entries = parse_properties(to_properties_text(config)).value();
  for (const Entry& entry : entries) {
    EXPECT_TRUE(values.emplace(entry.key, entry.value).second) << entry.key << " twice";
  }
  return values;
}

TEST(BrokerConfig, defaults_without_a_file) {
  const auto loaded = load_broker_config({}, kHost);
  ASSERT_TRUE(loaded);
  const BrokerConfig& config = loaded->config;
  EXPECT_THAT(loaded->warnings, IsEmpty());
  EXPECT_EQ(config.broker_name, "node-1");
  EXPECT_EQ(config.broker_ip1, "10.0.0.7");
  EXPECT_EQ(config.broker_ip2, "10.0.0.7");
  EXPECT_EQ(config.listen_port, 10911);
  EXPECT_EQ(config.raft_listen_port, 10912);
  EXPECT_EQ(config.store_path_root_dir, "/home/u/store");
  EXPECT_EQ(config.store_path_commit_log, "/home/u/store/commitlog");
  EXPECT_THAT(config.namesrv_addr, IsEmpty());
}

TEST(BrokerConfig, every_default_is_the_one_of_rocketmq) {
  BrokerConfig config;
  const std::set<std::string_view> differ{
      "listenPort",        // 10911 as BrokerStartup sets it, not the field's 6888
      "storePathRootDir",  // filled in by load
  };
  constexpr KeyOwners kOwners = owners_of({KeyOwner::kBroker, KeyOwner::kStore, KeyOwner::kServer});
  const auto values = shown(config);
  for (const OptionSpec& spec : broker_options()) {
    const RocketmqKey* key = find_rocketmq_key(spec.key, kOwners);
    EXPECT_EQ(key == nullptr, spec.gantry_only) << spec.key;
    if (key == nullptr || key->default_text == nullptr || differ.contains(spec.key)) continue;
    EXPECT_EQ(values.at(std::string(spec.key)), key->default_text) << spec.key;
  }
}

TEST(BrokerConfig, reads_a_broker_conf_of_rocketmq) {
  const auto loaded = load(
      "brokerClusterName = DefaultCluster\n"
      "brokerName = broker-a\n"
      "brokerId = 0\n"
      "deleteWhen = 04\n"
      "fileReservedTime = 48\n"
      "brokerRole = ASYNC_MASTER\n"
      "flushDiskType = SYNC_FLUSH\n"
      "namesrvAddr=n1:9876;n2:9876\n"
      "sendMessageThreadPoolNums=128\n");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.broker_name, "broker-a");
  EXPECT_EQ(loaded->config.file_reserved_time_hours, 48);
  EXPECT_EQ(loaded->config.flush_disk_type, FlushDiskType::kSyncFlush);
  EXPECT_THAT(loaded->config.namesrv_addr, ElementsAre("n1:9876", "n2:9876"));
  ASSERT_EQ(loaded->warnings.size(), 1U);
  EXPECT_THAT(loaded->warnings[0], HasSubstr("ignored: sendMessageThreadPoolNums (line 9)"));
}

TEST(BrokerConfig, reads_yaml) {
  const TemporaryFile file(".yaml", "brokerName: a\nnamesrvAddr: [n1:9876, n2:9876]\n");
  const auto loaded = load_broker_config({.file = file.path(), .overrides = {}}, kHost);
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->config.namesrv_addr, ElementsAre("n1:9876", "n2:9876"));
}

TEST(BrokerConfig, the_command_line_wins_over_the_file) {
  const auto loaded = load("listenPort=1000\nhttpPort=2000\n", {"listenPort=3000"});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.listen_port, 3000);
  EXPECT_EQ(loaded->config.raft_listen_port, 3001);
  EXPECT_EQ(loaded->config.http_port, 2000);
}

TEST(BrokerConfig, the_environment_names_the_name_servers_if_nothing_else_does) {
  HostFacts host = kHost;
  host.namesrv_addr = "e1:9876;e2:9876";
  EXPECT_THAT(load_broker_config({}, host)->config.namesrv_addr, ElementsAre("e1:9876", "e2:9876"));
  EXPECT_THAT(
      load_broker_config({.file = "", .overrides = {"namesrvAddr=n:1"}}, host)->config.namesrv_addr,
      ElementsAre("n:1"));
}

TEST(BrokerConfig, all_mistakes_are_reported_with_line_and_nearest_key) {
  EXPECT_EQ(mistake("# c\nbrokerNmae=a\n\nlistenPort=ten\nqwertz=1\n", {"flushDiskType=SOMETIMES"}),
            "FILE:2: unknown key \"brokerNmae\"; did you mean \"brokerName\"?\n"
            "FILE:4: key \"listenPort\" has the value \"ten\": expected a whole number from 0 to "
            "65535\n"
            "FILE:5: unknown key \"qwertz\"\n"
            "command line: key \"flushDiskType\" has the value \"SOMETIMES\": expected one of "
            "ASYNC_FLUSH, SYNC_FLUSH");
  EXPECT_EQ(mistake("", {"listenPort"}),
            "command line: \"listenPort\" is not of the form key=value");
  // A key of RocketMQ can be the nearest one, too.
  EXPECT_THAT(mistake("sendMesageThreadPoolNums=1\n"),
              HasSubstr("did you mean \"sendMessageThreadPoolNums\"?"));
}

TEST(BrokerConfig, values_that_must_not_be_ignored_are_refused) {
  for (const char* line :
       {"aclEnable=true", "authenticationEnabled=true", "authorizationEnabled=true",
        "enableDLegerCommitLog=true", "enableControllerMode=true"}) {
    EXPECT_THAT(mistake(line), HasSubstr("FILE:1: key \"")) << line;
  }
  EXPECT_EQ(mistake("aclEnable=false\nbrokerRole=SYNC_MASTER\n"), "accepted");
}

TEST(BrokerConfig, the_role_of_old_files_is_mapped_and_said) {
  const std::string members = "raftInitialMembers=a:10912;b:10912;c:10912\n";
  EXPECT_THAT(mistake("brokerRole=SLAVE\n"), HasSubstr("a second master of its broker set"));
  const auto warning = [&](const std::string& text) {
    const auto loaded = load(text);
    return loaded && !loaded->warnings.empty() ? loaded->warnings.front() : std::string();
  };
  EXPECT_EQ(warning("brokerRole=ASYNC_MASTER\n"), "");
  EXPECT_EQ(warning("brokerRole=SLAVE\n" + members),
            "brokerRole=SLAVE is ignored: the members elect who leads");
  EXPECT_THAT(warning("brokerRole=SYNC_MASTER\n" + members), HasSubstr("when a majority has it"));
  EXPECT_THAT(warning("brokerRole=SYNC_MASTER\n"), HasSubstr("nothing is replicated"));
  EXPECT_THAT(mistake("brokerRole=MASTER\n"), HasSubstr("ASYNC_MASTER, SYNC_MASTER, SLAVE"));
}

TEST(BrokerConfig, values_are_checked_beyond_their_type) {
  EXPECT_THAT(mistake("namesrvAddr=n1:9876;n2"),
              HasSubstr("has the value \"n2\": expected host:port"));
  EXPECT_THAT(mistake("namesrvAddr=n1:0"), HasSubstr("expected host:port"));
  EXPECT_EQ(mistake("namesrvAddr=[::1]:9876"), "accepted");
  EXPECT_THAT(mistake("namesrvAddr=::1:9876"), HasSubstr("expected host:port"));
  EXPECT_THAT(mistake("brokerName=a b"), HasSubstr("expected a name without blanks"));
  EXPECT_THAT(mistake("brokerClusterName=a/b"), HasSubstr("expected a name without blanks"));
  EXPECT_THAT(mistake("deleteWhen=04;24"), HasSubstr("has the value \"24\": expected hours"));
  EXPECT_THAT(mistake("deleteWhen=4"), HasSubstr("expected hours from 00 to 23"));
  EXPECT_THAT(mistake("messageDelayLevel=1s 5x"), HasSubstr("delay \"5x\" is not"));
  EXPECT_THAT(mistake("messageDelayLevel="), HasSubstr("at least one delay"));
  EXPECT_THAT(mistake("storePathCommitLog=/a,/b"), HasSubstr("expected one directory"));
  EXPECT_THAT(mistake("leaderAdvertisedAddress=svc"), HasSubstr("expected host:port"));
}

TEST(BrokerConfig, ports_must_differ) {
  EXPECT_EQ(mistake("httpPort=10911"), "listenPort and httpPort are both 10911");
  EXPECT_EQ(mistake("httpPort=10909"),
            "the fast port (listenPort - 2) and httpPort are both 10909");
  EXPECT_EQ(mistake("raftListenPort=10911"), "listenPort and raftListenPort are both 10911");
  EXPECT_THAT(mistake("listenPort=2"), HasSubstr("listenPort must be 0 or at least 3"));
  EXPECT_EQ(mistake("listenPort=0\nhttpPort=0\n"), "accepted");
}

TEST(BrokerConfig, ratios_are_limited_as_in_rocketmq_and_said_so) {
  const auto loaded = load("diskMaxUsedSpaceRatio=99\nregisterNameServerPeriod=1s\n");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.disk_max_used_space_ratio, 95);
  EXPECT_EQ(loaded->config.register_name_server_period_ms, 10'000);
  EXPECT_THAT(loaded->warnings, ElementsAre("diskMaxUsedSpaceRatio=99 is limited to 95",
                                            "registerNameServerPeriod=1000 is limited to 10000"));
}

TEST(BrokerConfig, consume_queue_files_hold_whole_units) {
  EXPECT_EQ(load("mappedFileSizeConsumeQueue=21\n")->config.mapped_file_size_consume_queue, 40);
  EXPECT_EQ(load("mappedFileSizeConsumeQueue=40\n")->config.mapped_file_size_consume_queue, 40);
}

TEST(BrokerConfig, paths_may_begin_with_the_home_directory) {
  const auto loaded = load("storePathRootDir=${user.home}/data\n");
  EXPECT_EQ(loaded->config.store_path_root_dir, "/home/u/data");
  EXPECT_EQ(loaded->config.store_path_commit_log, "/home/u/data/commitlog");
}

TEST(BrokerConfig, shows_all_keys_of_rocketmq_and_its_own) {
  const auto loaded = load(
      "brokerName=a\nsendMessageThreadPoolNums=128\n"
      "initAuthenticationUser=secret\n");
  ASSERT_TRUE(loaded);
  const auto values = shown(loaded->config);
  EXPECT_GT(values.size(), 400U);
  EXPECT_EQ(values.at("brokerName"), "a");
  EXPECT_EQ(values.at("listenPort"), "10911");
  EXPECT_EQ(values.at("sendMessageThreadPoolNums"), "128");  // as given
  EXPECT_EQ(values.at("haListenPort"), "10912");             // RocketMQ's default
  EXPECT_EQ(values.at("httpPort"), "5557");
  EXPECT_EQ(values.at("flushDiskType"), "ASYNC_FLUSH");
  EXPECT_FALSE(values.contains("initAuthenticationUser"));  // credentials stay here
}

TEST(BrokerConfig, what_is_shown_loads_to_the_same_configuration) {
  const auto first = load("brokerName=a\nflushDiskType=SYNC_FLUSH\ndeleteWhen=01;13\n");
  ASSERT_TRUE(first);
  const auto again = load(to_properties_text(first->config));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_properties_text(again->config), to_properties_text(first->config));
}

TEST(BrokerConfigUpdate, live_keys_change_at_once) {
  BrokerConfig config = load_broker_config({}, kHost)->config;
  EXPECT_EQ(update(config, "maxMessageSize", "1MiB"), Updated::kLive);
  EXPECT_EQ(config.max_message_size, 1 << 20);
  EXPECT_EQ(shown(config).at("maxMessageSize"), "1048576");
}

TEST(BrokerConfigUpdate, other_keys_wait_for_the_restart_but_are_shown) {
  BrokerConfig config = load_broker_config({}, kHost)->config;
  EXPECT_EQ(update(config, "listenPort", "20000"), Updated::kRestart);
  EXPECT_EQ(config.listen_port, 10911);
  EXPECT_EQ(shown(config).at("listenPort"), "20000");
}

TEST(BrokerConfigUpdate, ignored_unknown_and_forbidden_keys) {
  BrokerConfig config = load_broker_config({}, kHost)->config;
  EXPECT_EQ(update(config, "sendMessageThreadPoolNums", "9"), Updated::kIgnored);
  EXPECT_EQ(shown(config).at("sendMessageThreadPoolNums"), "9");
  const std::string before = to_properties_text(config);
  EXPECT_EQ(update(config, "noSuchKey", "1"), Updated::kUnknown);
  EXPECT_EQ(update(config, "configBlackList", ""), Updated::kRefused);
  EXPECT_EQ(update(config, "brokerConfigPath", "/x"), Updated::kRefused);
  EXPECT_FALSE(update(config, "aclEnable", "true"));
  EXPECT_EQ(to_properties_text(config), before);
}

TEST(BrokerConfigUpdate, bad_values_change_nothing) {
  BrokerConfig config = load_broker_config({}, kHost)->config;
  const std::string before = to_properties_text(config);
  const auto bad_type = update(config, "maxMessageSize", "big");
  ASSERT_FALSE(bad_type);
  EXPECT_THAT(bad_type.error().message,
              HasSubstr("key \"maxMessageSize\" has the value \"big\": expected a size"));
  EXPECT_FALSE(update(config, "namesrvAddr", "nowhere"));
  EXPECT_FALSE(update(config, "httpPort", "10911"));
  EXPECT_EQ(to_properties_text(config), before);
}

TEST(DelayLevels, units) {
  EXPECT_EQ(parse_delay_levels("1s 2m 3h 1d"),
            (std::vector<std::int64_t>{1000, 120'000, 10'800'000, 86'400'000}));
  EXPECT_EQ(parse_delay_levels(BrokerConfig{}.message_delay_level)->size(), 18U);
  for (const char* bad :
       {"", " ", "s", "1", "1.5s", "-1s", "1s,2s", "99999999999999999999s", "9999999999d"}) {
    EXPECT_FALSE(parse_delay_levels(bad)) << bad;
  }
}

TEST(HostFacts, are_always_filled_in) {
  const HostFacts host = detect_host();
  EXPECT_FALSE(host.host_name.empty());
  EXPECT_FALSE(host.ipv4.empty());
  EXPECT_FALSE(host.home.empty());
}

}  // namespace
}  // namespace gantry::config
