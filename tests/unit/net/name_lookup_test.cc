// SPDX-License-Identifier: Apache-2.0
#include "net/name_lookup.h"

#include <gtest/gtest.h>

#include <future>

#include "net/name_resolver.h"
#include "net_test_util.h"

namespace gantry::net {
namespace {

class Lookups : public ::testing::Test {
 protected:
  Lookups() : lookup(std::make_unique<NameLookup>(shard)) { shard.start(); }
  ~Lookups() override {
    run([this] { lookup.reset(); });
  }
  void run(std::function<void()> function) {
    EXPECT_TRUE(shard.call(std::move(function), kPatience));
  }

  runtime::Shard shard{"test-lookup"};
  std::unique_ptr<NameLookup> lookup;  // shard only
};

TEST_F(Lookups, AnIPv4AddressOfTheNameComesFirst) {
  Eventually<Result<std::string>> found;
  run([&] {
    lookup->find("localhost", [&](Result<std::string> ip) { found.set(std::move(ip)); });
  });
  const auto ip = found.wait();
  ASSERT_TRUE(ip.has_value());
  ASSERT_TRUE(ip->has_value()) << ip->error().message;
  EXPECT_EQ(**ip, "127.0.0.1");
}

TEST_F(Lookups, ANameThatIsNotThereIsAnErrorThatNamesIt) {
  Eventually<Result<std::string>> found;
  run([&] {
    lookup->find("nobody.invalid", [&](Result<std::string> ip) { found.set(std::move(ip)); });
  });
  const auto ip = found.wait();
  ASSERT_TRUE(ip.has_value());
  ASSERT_FALSE(ip->has_value());
  EXPECT_EQ(ip->error().code, ErrorCode::kUnavailable);
  EXPECT_NE(ip->error().message.find("nobody.invalid"), std::string::npos) << ip->error().message;
}

TEST_F(Lookups, ANewLookupTakesThePlaceOfTheOneUnderWay) {
  Eventually<std::string> first;
  Eventually<std::string> second;
  std::promise<void> first_may_end;
  run([&] {
    NameResolver::of(shard).ask_with([&](const std::string& host) -> Result<Addresses> {
      if (host == "second") first_may_end.get_future().wait();
      return Addresses{boost::asio::ip::make_address("127.0.0.1")};
    });
    lookup->find("first", [&](const Result<std::string>&) { first.set("answered"); });
    lookup->find("second", [&](const Result<std::string>& ip) { second.set(ip.value_or("")); });
    // A question of its own for the first name ends behind the one that was replaced.
    NameResolver::of(shard).find("first", [&](const auto&) { first_may_end.set_value(); });
  });
  EXPECT_EQ(second.wait().value_or("no answer"), "127.0.0.1");
  run([&] { first.set("never answered"); });
  EXPECT_EQ(first.wait().value_or(""), "never answered");
}

}  // namespace
}  // namespace gantry::net
