// SPDX-License-Identifier: Apache-2.0
// Names whose server does not answer. The test answers in its place.
#include "net/name_resolver.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "net_test_util.h"

namespace gantry::net {
namespace {

// Shared with threads that may outlive the test.
class SlowNames {
 public:
  Result<Addresses> ask(const std::string& host) {
    std::unique_lock lock(mutex_);
    ++asked_[host];
    changed_.notify_all();
    changed_.wait(lock, [&] { return answers_.contains(host); });
    if (answers_[host].empty()) return make_error(ErrorCode::kUnavailable, "no such name");
    return Addresses{boost::asio::ip::make_address(answers_[host])};
  }
  // Empty: the name does not exist.
  void answer(const std::string& host, const std::string& ip) {
    const std::lock_guard lock(mutex_);
    answers_[host] = ip;
    changed_.notify_all();
  }
  int asked(const std::string& host) {
    const std::lock_guard lock(mutex_);
    return asked_[host];
  }
  bool wait_until_asked(const std::string& host) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return asked_[host] > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> answers_;
  std::map<std::string, int> asked_;
};

class Names : public ::testing::Test {
 protected:
  Names() {
    shard->start();
    run([this] {
      NameResolver::of(*shard).ask_with(
          [names = names](const auto& host) { return names->ask(host); });
    });
  }
  ~Names() override {
    for (const char* host : {"stuck", "quick", "other"}) names->answer(host, "");
  }
  void run(std::function<void()> function) {
    EXPECT_TRUE(shard->call(std::move(function), kPatience));
  }
  void find(const std::string& host, std::shared_ptr<Eventually<Result<Addresses>>> found) {
    run([&] {
      NameResolver::of(*shard).find(host, [found](const Result<Addresses>& is) { found->set(is); });
    });
  }
  static std::shared_ptr<Eventually<Result<Addresses>>> eventually() {
    return std::make_shared<Eventually<Result<Addresses>>>();
  }

  std::shared_ptr<SlowNames> names = std::make_shared<SlowNames>();
  std::unique_ptr<runtime::Shard> shard = std::make_unique<runtime::Shard>("test-names");
};

TEST_F(Names, ANameThatIsNotAnsweredHoldsUpNoOther) {
  const auto stuck = eventually(), quick = eventually();
  names->answer("quick", "10.0.0.7");
  find("stuck", stuck);
  ASSERT_TRUE(names->wait_until_asked("stuck"));
  find("quick", quick);
  const auto found = quick->wait();
  ASSERT_TRUE(found.has_value()) << "it waits for the other name";
  ASSERT_TRUE(*found);
  EXPECT_EQ((**found).at(0).to_string(), "10.0.0.7");
  names->answer("stuck", "");
  const auto late = stuck->wait();
  ASSERT_TRUE(late.has_value());
  EXPECT_EQ(late->error().code, ErrorCode::kUnavailable);
}

TEST_F(Names, ANameIsAskedForOnceAtATime) {
  const auto one = eventually(), two = eventually(), later = eventually();
  find("stuck", one);
  find("stuck", two);
  ASSERT_TRUE(names->wait_until_asked("stuck"));
  names->answer("stuck", "10.0.0.8");
  ASSERT_TRUE(one->wait().has_value());
  ASSERT_TRUE(two->wait().has_value());
  EXPECT_EQ(names->asked("stuck"), 1);
  find("stuck", later);
  ASSERT_TRUE(later->wait().has_value());
  EXPECT_EQ(names->asked("stuck"), 2) << "addresses change: nothing is remembered";
}

TEST_F(Names, TheEndOfTheLoopDoesNotWaitForAnAnswer) {
  const auto stuck = eventually();
  find("stuck", stuck);
  ASSERT_TRUE(names->wait_until_asked("stuck"));
  shard.reset();  // would not come back
  names->answer("stuck", "10.0.0.9");
  EXPECT_EQ(stuck.use_count(), 1) << "whoever asked is forgotten";
}

TEST_F(Names, ThereIsALimitToNamesThatAreNotAnswered) {
  const auto refused = eventually();
  for (std::size_t i = 0; i < NameResolver::kNamesMax; ++i) {
    find("stuck" + std::to_string(i), eventually());
  }
  find("one more", refused);
  const auto answer = refused->wait();
  ASSERT_TRUE(answer.has_value());
  EXPECT_NE(answer->error().message.find("names are being asked for"), std::string::npos);
  const auto again = eventually();
  names->answer("stuck0", "10.0.0.10");
  find("stuck0", again);
  EXPECT_TRUE(again->wait().has_value()) << "one that is being asked for already";
  for (std::size_t i = 0; i < NameResolver::kNamesMax; ++i) {
    names->answer("stuck" + std::to_string(i), "");
  }
}

}  // namespace
}  // namespace gantry::net
