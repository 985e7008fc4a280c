// SPDX-License-Identifier: Apache-2.0
#include "config/sidecar_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/source.h"
#include "temporary_file.h"

namespace gantry::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(SidecarConfig, defaults_and_file) {
  const auto defaults = load_sidecar_config({});
  ASSERT_TRUE(defaults) << defaults.error().message;
  EXPECT_THAT(defaults->warnings, IsEmpty());
  EXPECT_EQ(defaults->config.http_port, 5559);
  EXPECT_EQ(defaults->config.leader_label, "gantry.dev/leader");
  const TemporaryFile file(".yaml", "leaderLabel: shop.example/leader\npollIntervalMillis: 1s\n");
  const auto loaded =
      load_sidecar_config({.file = file.path(), .overrides = {"brokerHttpAddress=http://b:1/"}});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.leader_label, "shop.example/leader");
  EXPECT_EQ(loaded->config.poll_interval_ms, 1000);
  EXPECT_EQ(host_port_of(loaded->config.broker_http_address), "b:1");
}

TEST(SidecarConfig, mistakes_are_named) {
  const auto message = [](std::string setting) {
    const auto loaded = load_sidecar_config({.file = {}, .overrides = {std::move(setting)}});
    return loaded ? std::string("accepted") : loaded.error().message;
  };
  EXPECT_THAT(message("leaderLable=a"), HasSubstr("did you mean \"leaderLabel\"?"));
  EXPECT_THAT(message("brokerName=a"), HasSubstr("unknown key"));
  EXPECT_THAT(message("leaderLabel=a/b/c"), HasSubstr("key of a Kubernetes label"));
  EXPECT_THAT(message("brokerHttpAddress=127.0.0.1:5557"), HasSubstr("http://HOST:PORT"));
  EXPECT_THAT(message("serviceAccountPath="), HasSubstr("expected a directory"));
  EXPECT_THAT(message("pollIntervalMillis=1"), HasSubstr("from 10 to 60000"));
}

TEST(SidecarConfig, every_key_is_shown) {
  const auto entries = parse_properties(to_properties_text(SidecarConfig{}));
  ASSERT_TRUE(entries);
  EXPECT_EQ(entries->size(), sidecar_options().size());
  for (const OptionSpec& spec : sidecar_options()) EXPECT_TRUE(spec.gantry_only) << spec.key;
}

TEST(HttpAddress, is_a_host_and_a_port) {
  EXPECT_EQ(host_port_of("http://127.0.0.1:5557"), "127.0.0.1:5557");
  EXPECT_EQ(host_port_of("http://[::1]:5557/"), "[::1]:5557");
  for (const char* bad : {"", "http://", "http:///", "http://b", "b:1", "https://b:1", "http://b:0",
                          "http://b:1/x", "http://b:1//", "http://b:x", "http://u@b:1"}) {
    EXPECT_FALSE(host_port_of(bad)) << bad;
  }
}

TEST(LabelKey, is_what_kubernetes_accepts) {
  for (const char* good : {"leader", "a", "gantry.dev/leader", "A.b_c-9", "x-y.z/Q"}) {
    EXPECT_TRUE(is_label_key(good)) << good;
  }
  for (const char* bad : {"", "/", "a/", "/a", "a/b/c", "-a", "a-", "a b", "A.dev/leader", "a..b/c",
                          ".a/c", "a-/c", "a.dev/le~ader"}) {
    EXPECT_FALSE(is_label_key(bad)) << bad;
  }
  EXPECT_TRUE(is_label_key(std::string(63, 'a')));
  EXPECT_FALSE(is_label_key(std::string(64, 'a')));
  EXPECT_FALSE(is_label_key(std::string(254, 'a') + "/b"));
}

}  // namespace
}  // namespace gantry::config
