// SPDX-License-Identifier: Apache-2.0
#include "kube/service_account.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "kube/token_file.h"
#include "tests/support/fake_kube_api.h"

namespace gantry::kube {
namespace {

using ::testing::HasSubstr;

class FakeClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 0; }
  std::int64_t steady_us() const override { return now_us; }
  std::int64_t now_us = 1;
};

Environment environment(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
}

const auto kCluster =
    environment({{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "6443"}});

TEST(ServiceAccount, is_found_in_environment_and_directory) {
  const test::ScratchDirectory directory;
  directory.write("token", "t");
  directory.write("ca.crt", "c");
  auto account = find_service_account(directory.path(), kCluster);
  ASSERT_TRUE(account) << account.error().message;
  EXPECT_EQ(account->host, "fd00::1");
  EXPECT_EQ(account->port, 6443);
  EXPECT_EQ(account->token_file, directory.path() + "/token");
  EXPECT_EQ(account->ca_file, directory.path() + "/ca.crt");
  EXPECT_EQ(account->name_space, "");
  directory.write("namespace", "shop\n");
  account = find_service_account(directory.path(), kCluster);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->name_space, "shop");
}

TEST(ServiceAccount, what_is_missing_is_named) {
  const test::ScratchDirectory directory;
  const auto message = [&](const Environment& e) {
    const auto account = find_service_account(directory.path(), e);
    return account ? std::string("found") : account.error().message;
  };
  EXPECT_THAT(message(environment({})), HasSubstr("KUBERNETES_SERVICE_HOST"));
  for (const char* port : {"", "x", "0", "65536", "-1", "443 "}) {
    EXPECT_THAT(
        message(environment({{"KUBERNETES_SERVICE_HOST", "h"}, {"KUBERNETES_SERVICE_PORT", port}})),
        HasSubstr("KUBERNETES_SERVICE_PORT has the value \"" + std::string(port) + "\""));
  }
  EXPECT_THAT(message(kCluster), HasSubstr(directory.path() + "/token"));
  directory.write("token", "t");
  EXPECT_THAT(message(kCluster), HasSubstr(directory.path() + "/ca.crt"));
}

TEST(TokenFile, is_read_again_every_minute) {
  const test::ScratchDirectory directory;
  directory.write("token", "one\n");
  FakeClock clock;
  TokenFile token(directory.path() + "/token", clock);
  EXPECT_EQ(token.get(), "one");
  directory.write("token", "two\n");
  clock.now_us += 59'999'999;
  EXPECT_EQ(token.get(), "one");
  clock.now_us += 1;
  EXPECT_EQ(token.get(), "two");
}

TEST(TokenFile, is_read_again_when_the_server_refuses_it) {
  const test::ScratchDirectory directory;
  directory.write("token", "one");
  FakeClock clock;
  TokenFile token(directory.path() + "/token", clock);
  EXPECT_EQ(token.get(), "one");
  directory.write("token", "two");
  token.distrust();
  EXPECT_EQ(token.get(), "two");
}

TEST(TokenFile, that_vanishes_leaves_the_token_that_is_known) {
  const test::ScratchDirectory directory;
  FakeClock clock;
  TokenFile token(directory.path() + "/token", clock);
  EXPECT_FALSE(token.get());
  directory.write("token", "one");
  EXPECT_EQ(token.get(), "one") << "a failure is not remembered";
  std::filesystem::remove(directory.path() + "/token");
  token.distrust();
  EXPECT_EQ(token.get(), "one");
}

TEST(TokenFile, takes_only_what_fits_into_a_header) {
  const test::ScratchDirectory directory;
  for (const char* bad : {"", " \n", "a\r\nX: y", "a b", "\x80"}) {
    directory.write("token", bad);
    TokenFile token(directory.path() + "/token");
    const auto got = token.get();
    ASSERT_FALSE(got) << bad;
    EXPECT_THAT(got.error().message, HasSubstr("/token"));
  }
  directory.write("token", std::string(70'000, 'x'));
  EXPECT_FALSE(TokenFile(directory.path() + "/token").get());
}

}  // namespace
}  // namespace gantry::kube
