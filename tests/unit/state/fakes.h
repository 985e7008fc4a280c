// SPDX-License-Identifier: Apache-2.0
// A clock that stands still and a command log whose records commit when the test says so.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "base/clock.h"
#include "replog/command_log.h"
#include "state/state_machine.h"

namespace gantry::state {

class FakeClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return wall_ms_; }
  std::int64_t steady_us() const override { return steady_us_; }
  void advance_ms(std::int64_t ms) {
    wall_ms_ += ms;
    steady_us_ += ms * 1000;
  }

 private:
  std::int64_t wall_ms_ = 1700000000000;
  std::int64_t steady_us_ = 1;
};

class FakeCommandLog final : public replog::CommandLog {
 public:
  explicit FakeCommandLog(StateMachine& machine) : machine_(machine) {}

  void append_command(std::string body, Done done) override {
    ++appended_;
    pending_.emplace_back(std::move(body), std::move(done));
  }

  std::size_t appended() const { return appended_; }
  std::size_t pending() const { return pending_.size(); }
  const std::string& front() const { return pending_.front().first; }

  void commit_one() {
    auto [body, done] = std::move(pending_.front());
    pending_.pop_front();
    end_ += static_cast<std::int64_t>(body.size()) + 100;
    const auto applied = machine_.apply(end_, body);
    ASSERT_TRUE(applied) << applied.error().message;
    done({});
  }
  void commit_all() {
    while (!pending_.empty()) commit_one();
  }
  // The oldest record never makes it into the log.
  void fail_one(ErrorCode code = ErrorCode::kDiskFull) {
    auto done = std::move(pending_.front().second);
    pending_.pop_front();
    done(make_error(code, "refused"));
  }

 private:
  StateMachine& machine_;
  std::deque<std::pair<std::string, Done>> pending_;
  std::size_t appended_ = 0;
  LogPosition end_;
};

inline protocol::TopicConfig topic(std::string name, std::int32_t queues = 4) {
  protocol::TopicConfig config;
  config.topic_name = std::move(name);
  config.read_queue_nums = queues;
  config.write_queue_nums = queues;
  return config;
}

inline protocol::SubscriptionGroupConfig group(std::string name, std::int32_t retries = 16) {
  protocol::SubscriptionGroupConfig config;
  config.group_name = std::move(name);
  config.retry_max_times = retries;
  return config;
}

// A clustering push consumer's subscription of one topic, as clients build it from its text.
inline protocol::SubscriptionData subscription(std::string_view topic, std::string_view text,
                                               std::int64_t version) {
  auto data = protocol::build_subscription(topic, text, "TAG");
  EXPECT_TRUE(data);
  data->sub_version = version;
  return *std::move(data);
}

inline GroupSubscriptions subscriptions(std::vector<protocol::SubscriptionData> all) {
  GroupSubscriptions out;
  for (protocol::SubscriptionData& data : all) out.topics.emplace(data.topic, std::move(data));
  return out;
}

// Puts what a callback reported into `out`.
inline replog::CommandLog::Done into(std::optional<Result<void>>& out) {
  return [&out](Result<void> result) { out = std::move(result); };
}

}  // namespace gantry::state
