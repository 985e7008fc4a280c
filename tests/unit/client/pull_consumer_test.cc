// SPDX-License-Identifier: Apache-2.0
#include "client/pull_consumer.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>

#include "client/message.h"
#include "runtime/shard.h"
#include "tests/unit/client/scripted_server.h"
#include "tests/unit/client/test_records.h"

namespace gantry::client {
namespace {

using protocol::Command;
using protocol::MessageQueue;
using protocol::RequestCode;
using protocol::ResponseCode;
using test::ScriptedServer;

const MessageQueue kQueue{"orders", "broker-a", 0};

Command pulled(ResponseCode code, std::int64_t next, std::string records = {}) {
  auto answer = test::refuse(code);
  answer.with("nextBeginOffset", next).with("minOffset", 0).with("maxOffset", 100);
  answer.with("suggestWhichBrokerId", 0);
  answer.body = std::move(records);
  return answer;
}

std::string message_at(std::int64_t offset) {
  test::TestMessage message;
  message.offset = offset;
  return test::record(message);
}

TEST(PullRequest, FlagsTellWhatIsWanted) {
  PullOptions options;
  options.group = "g";
  options.expression = "a || b";
  Command request = pull_request(options, kQueue, 7);
  EXPECT_EQ(request.find("sysFlag"), "6");
  EXPECT_EQ(request.find("consumerGroup"), "g");
  EXPECT_EQ(request.find("subscription"), "a || b");
  EXPECT_EQ(request.find("expressionType"), "TAG");
  EXPECT_EQ(request.find("queueOffset"), "7");
  EXPECT_EQ(request.find("suspendTimeoutMillis"), "15000");
  options.suspend = std::chrono::milliseconds(0);
  EXPECT_EQ(pull_request(options, kQueue, 7).find("sysFlag"), "4");
}

TEST(PullAnswer, FourCodesAreNormal) {
  using Kind = PullAnswer::Kind;
  EXPECT_EQ(parse_pull_answer(pulled(ResponseCode::kSuccess, 1), "b")->kind, Kind::kFound);
  EXPECT_EQ(parse_pull_answer(pulled(ResponseCode::kPullNotFound, 1), "b")->kind,
            Kind::kNothingNew);
  EXPECT_EQ(parse_pull_answer(pulled(ResponseCode::kPullRetryImmediately, 1), "b")->kind,
            Kind::kNoneMatched);
  EXPECT_EQ(parse_pull_answer(pulled(ResponseCode::kPullOffsetMoved, 1), "b")->kind,
            Kind::kOffsetMoved);
  EXPECT_FALSE(parse_pull_answer(pulled(ResponseCode::kNoPermission, 1), "b"));
  EXPECT_EQ(parse_pull_answer(test::success(), "b").error().code, ErrorCode::kCorrupt);
}

// Collects what the consumer tells, on the test's thread.
class PullConsumerTest : public testing::Test {
 protected:
  void SetUp() override {
    PullConsumer::Options options;
    options.pull.suspend = std::chrono::milliseconds(200);
    options.retry_delay = std::chrono::milliseconds(10);
    PullConsumer::Events events;
    events.on_batch = [this](PulledBatch batch) {
      note("batch " + std::to_string(for_each_record(batch.records, [](const auto&) {}).value()) +
           " next " + std::to_string(batch.answer.next_offset));
      return hold_ ? PullConsumer::Next::kHold : PullConsumer::Next::kPull;
    };
    events.on_error = [this](const QueueAddress&, const Error&) { note("error"); };
    events.on_end = [this](const MessageQueue&) { note("end"); };
    shard_.start();
    shard_.call(
        [&] { consumer_ = std::make_unique<PullConsumer>(shard_, options, std::move(events)); });
  }
  void TearDown() override {
    shard_.call([this] { consumer_.reset(); });
    shard_.stop();
    shard_.join();
  }

  void add(std::int64_t offset, std::optional<std::int64_t> stop_at = {}) {
    shard_.call([&] { consumer_->add({kQueue, server_.address()}, offset, stop_at); });
  }
  // The answers in turn; the last one again and again.
  void script(std::vector<Command> answers) {
    auto left = std::make_shared<std::deque<Command>>(answers.begin(), answers.end());
    server_.on(RequestCode::kPullMessage, [left](const Command&) {
      Command answer = left->front();
      if (left->size() > 1) left->pop_front();
      return answer;
    });
  }
  std::string next_note() {
    std::unique_lock lock(mutex_);
    if (!noted_.wait_for(lock, std::chrono::seconds(20), [this] { return !notes_.empty(); })) {
      return "nothing";
    }
    std::string text = notes_.front();
    notes_.pop_front();
    return text;
  }
  std::vector<std::string> asked_offsets() const {
    std::vector<std::string> offsets;
    for (const Command& request : server_.requests(RequestCode::kPullMessage)) {
      offsets.emplace_back(*request.find("queueOffset"));
    }
    return offsets;
  }

  ScriptedServer server_;
  bool hold_ = false;

 private:
  void note(std::string text) {
    {
      const std::lock_guard lock(mutex_);
      notes_.push_back(std::move(text));
    }
    noted_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable noted_;
  std::deque<std::string> notes_;

 protected:
  runtime::Shard shard_{"test"};
  std::unique_ptr<PullConsumer> consumer_;
};

TEST_F(PullConsumerTest, GoesOnBehindWhatItGot) {
  script({pulled(ResponseCode::kSuccess, 7, message_at(5) + message_at(6)),
          pulled(ResponseCode::kSuccess, 8, message_at(7)),
          pulled(ResponseCode::kPullNotFound, 8)});
  add(5, 8);
  EXPECT_EQ(next_note(), "batch 2 next 7");
  EXPECT_EQ(next_note(), "batch 1 next 8");
  EXPECT_EQ(next_note(), "end");
  EXPECT_EQ(asked_offsets(), (std::vector<std::string>{"5", "7"}));
}

TEST_F(PullConsumerTest, AHeldQueueWaits) {
  hold_ = true;
  script({pulled(ResponseCode::kSuccess, 1, message_at(0)),
          pulled(ResponseCode::kSuccess, 2, message_at(1))});
  add(0, 2);
  EXPECT_EQ(next_note(), "batch 1 next 1");
  shard_.call([] {});  // whatever the batch could have started would be sent by now
  EXPECT_EQ(asked_offsets().size(), 1U);
  shard_.call([this] { consumer_->resume(kQueue); });
  EXPECT_EQ(next_note(), "batch 1 next 2");
}

TEST_F(PullConsumerTest, FollowsTheBrokersOffset) {
  script({pulled(ResponseCode::kPullOffsetMoved, 40),
          pulled(ResponseCode::kPullRetryImmediately, 60),
          pulled(ResponseCode::kSuccess, 61, message_at(60))});
  add(10, 61);
  EXPECT_EQ(next_note(), "batch 1 next 61");
  EXPECT_EQ(next_note(), "end");
  EXPECT_EQ(asked_offsets(), (std::vector<std::string>{"10", "40", "60"}));
}

TEST_F(PullConsumerTest, AnEmptyRangeEndsWithoutARequest) {
  add(5, 5);
  EXPECT_EQ(next_note(), "end");
  EXPECT_TRUE(asked_offsets().empty());
}

TEST_F(PullConsumerTest, MessagesThatAreGoneEndTheRange) {
  script({pulled(ResponseCode::kPullNotFound, 3)});
  add(3, 9);
  EXPECT_EQ(next_note(), "end");
}

TEST_F(PullConsumerTest, AQueueThatWasCutDoesNotGoBack) {
  script({pulled(ResponseCode::kPullOffsetMoved, 2)});
  add(5, 9);
  EXPECT_EQ(next_note(), "end");
  EXPECT_EQ(asked_offsets().size(), 1U);
}

TEST_F(PullConsumerTest, ErrorsAreTriedAgain) {
  script({test::refuse(ResponseCode::kSystemBusy), test::refuse(ResponseCode::kSystemBusy),
          pulled(ResponseCode::kSuccess, 1, message_at(0))});
  add(0, 1);
  EXPECT_EQ(next_note(), "error");
  EXPECT_EQ(next_note(), "error");
  EXPECT_EQ(next_note(), "batch 1 next 1");
  EXPECT_EQ(next_note(), "end");
}

TEST_F(PullConsumerTest, ANewAddressIsUsedForTheNextPull) {
  ScriptedServer other;
  other.on(RequestCode::kPullMessage, pulled(ResponseCode::kSuccess, 1, message_at(0)));
  script({test::refuse(ResponseCode::kSystemBusy)});
  add(0, 1);
  EXPECT_EQ(next_note(), "error");
  shard_.call([&] { consumer_->add({kQueue, other.address()}, 77); });
  std::string note;
  while ((note = next_note()) == "error") {
  }
  EXPECT_EQ(note, "batch 1 next 1");
  EXPECT_EQ(other.requests(RequestCode::kPullMessage).front().find("queueOffset"), "0");
}

TEST_F(PullConsumerTest, CanBeDestroyedWhileAPullIsHeld) {
  server_.on(RequestCode::kPullMessage, [](const Command&) { return std::nullopt; });
  add(0);
  while (asked_offsets().empty()) std::this_thread::yield();
  shard_.call([this] { consumer_.reset(); });
}

}  // namespace
}  // namespace gantry::client
