// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "net/connection.h"

namespace gantry::net {
namespace {

TEST(HostPort, TextPutsIpv6InBrackets) {
  EXPECT_EQ((HostPort{"10.0.0.1", 4711}.text()), "10.0.0.1:4711");
  EXPECT_EQ((HostPort{"::1", 80}.text()), "[::1]:80");
}

TEST(HostPort, ParsesNamesAndAddresses) {
  const auto name = parse_host_port("broker-0.brokers:10911");
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->host, "broker-0.brokers");
  EXPECT_EQ(name->port, 10911);
  for (const char* text : {"[::1]:9876", "::1:9876"}) {
    const auto v6 = parse_host_port(text);
    ASSERT_TRUE(v6.has_value()) << text;
    EXPECT_EQ(v6->host, "::1");
    EXPECT_EQ(v6->port, 9876);
  }
}

TEST(HostPort, RefusesWhatCannotBeDialledAndSaysWhy) {
  for (const char* text :
       {"", "host", ":1", "host:", "host:0", "host:65536", "host:12x", "host:-1"}) {
    const auto bad = parse_host_port(text);
    ASSERT_FALSE(bad.has_value()) << text;
    EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(bad.error().message.find("'" + std::string(text) + "'"), std::string::npos);
  }
}

}  // namespace
}  // namespace gantry::net
