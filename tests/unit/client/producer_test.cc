// SPDX-License-Identifier: Apache-2.0
#include "client/producer.h"

#include <gtest/gtest.h>

#include <set>

#include "client/connections.h"
#include "client/name_server.h"
#include "protocol/properties.h"
#include "tests/unit/client/scripted_server.h"

namespace gantry::client {
namespace {

using protocol::Command;
using protocol::RequestCode;
using protocol::ResponseCode;
using test::ScriptedServer;

std::optional<Command> store(const Command& request) {
  return test::success()
      .with("msgId", "OFFSETID")
      .with("queueId", std::string(*request.find("e")))
      .with("queueOffset", 5);
}

OutgoingMessage message() {
  OutgoingMessage out;
  out.topic = "orders";
  out.body = "hello";
  return out;
}

// A NameServer and two brokers, a and b, with two queues each.
class ProducerTest : public testing::Test {
 protected:
  ProducerTest() {
    a_.on(RequestCode::kSendMessageV2, store);
    b_.on(RequestCode::kSendMessageV2, store);
    set_route({{"a", a_.address()}, {"b", b_.address()}});
  }

  void set_route(const std::map<std::string, std::string>& brokers) {
    protocol::TopicRouteData route;
    for (const auto& [name, address] : brokers) {
      protocol::BrokerData broker;
      broker.broker_name = name;
      broker.broker_addrs = {{0, address}};
      route.broker_datas.push_back(broker);
      protocol::QueueData queues;
      queues.broker_name = name;
      queues.read_queue_nums = queues.write_queue_nums = 2;
      queues.perm = 6;
      route.queue_datas.push_back(queues);
    }
    names_server_.on(RequestCode::kGetRouteInfoByTopic, test::with_body(route.to_json()));
  }

  std::size_t sends(const ScriptedServer& broker) const {
    return broker.requests(RequestCode::kSendMessageV2).size();
  }
  std::size_t route_requests() const {
    return names_server_.requests(RequestCode::kGetRouteInfoByTopic).size();
  }

  Producer producer() {
    Producer::Options options;
    options.group = "g";
    options.send_timeout = std::chrono::milliseconds(500);
    return Producer(connections_, names_, options);
  }

  ScriptedServer names_server_, a_, b_;
  Connections connections_{
      {.connect_timeout = std::chrono::seconds(2), .call_timeout = std::chrono::seconds(2)}};
  NameServer names_{connections_, {names_server_.address()}};
};

TEST_F(ProducerTest, SpreadsOverAllQueues) {
  Producer producer = this->producer();
  std::set<std::pair<std::string, int>> used;
  std::set<std::string> ids;
  for (int i = 0; i < 4; ++i) {
    const auto sent = producer.send(message());
    ASSERT_TRUE(sent) << sent.error().message;
    used.emplace(sent->receipt.queue.broker_name, sent->receipt.queue.queue_id);
    ids.insert(sent->message_id);
    EXPECT_EQ(sent->receipt.offset_message_id, "OFFSETID");
  }
  EXPECT_EQ(used.size(), 4U);
  EXPECT_EQ(ids.size(), 4U);
  EXPECT_EQ(route_requests(), 1U);
}

TEST_F(ProducerTest, GoesToAnotherBrokerWhenOneRefuses) {
  a_.on(RequestCode::kSendMessageV2, test::refuse(ResponseCode::kSystemBusy, "busy"));
  Producer producer = this->producer();
  for (int i = 0; i < 4; ++i) {
    const auto sent = producer.send(message());
    ASSERT_TRUE(sent) << sent.error().message;
    EXPECT_EQ(sent->receipt.queue.broker_name, "b");
  }
  EXPECT_GT(sends(a_), 0U);
  EXPECT_GT(route_requests(), 1U);
}

TEST_F(ProducerTest, KeepsTheMessageIdOverAttempts) {
  a_.on(RequestCode::kSendMessageV2, test::refuse(ResponseCode::kSystemBusy));
  b_.on(RequestCode::kSendMessageV2, test::refuse(ResponseCode::kSystemBusy));
  Producer producer = this->producer();
  const auto sent = producer.send(message());
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kBusy);
  std::set<std::string> ids;
  for (const ScriptedServer* broker : {&a_, &b_}) {
    for (const Command& request : broker->requests(RequestCode::kSendMessageV2)) {
      ids.insert(std::string(protocol::find_property(*request.find("i"), "UNIQ_KEY").value()));
    }
  }
  EXPECT_EQ(ids.size(), 1U);
  EXPECT_EQ(sends(a_) + sends(b_), 3U);
}

TEST_F(ProducerTest, DoesNotRepeatWhatIsWrong) {
  a_.on(RequestCode::kSendMessageV2, test::refuse(ResponseCode::kMessageIllegal, "too large"));
  b_.on(RequestCode::kSendMessageV2, test::refuse(ResponseCode::kMessageIllegal, "too large"));
  Producer producer = this->producer();
  EXPECT_FALSE(producer.send(message()));
  EXPECT_EQ(sends(a_) + sends(b_), 1U);
}

TEST_F(ProducerTest, FindsTheNewLeader) {
  set_route({{"a", a_.address()}});
  Producer producer = this->producer();
  ASSERT_TRUE(producer.send(message()));
  a_.go_away();
  set_route({{"a", b_.address()}});
  const auto sent = producer.send(message());
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(sends(b_), 1U);
  EXPECT_EQ(sent->attempts, 2);
}

TEST_F(ProducerTest, SilenceIsATimeout) {
  set_route({{"a", a_.address()}});
  a_.on(RequestCode::kSendMessageV2, [](const Command&) { return std::nullopt; });
  Producer::Options options;
  options.send_timeout = std::chrono::milliseconds(30);
  Producer producer(connections_, names_, options);
  const auto sent = producer.send(message());
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kTimeout);
}

TEST_F(ProducerTest, ATopicThatDoesNotExistIsSaidAtOnce) {
  names_server_.on(RequestCode::kGetRouteInfoByTopic, test::refuse(ResponseCode::kTopicNotExist));
  Producer producer = this->producer();
  EXPECT_EQ(producer.send(message()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(route_requests(), 1U);
}

TEST_F(ProducerTest, AShardingKeyStaysWithItsQueue) {
  Producer producer = this->producer();
  OutgoingMessage ordered = message();
  ordered.sharding_key = "customer-7";
  std::set<std::pair<std::string, int>> used;
  for (int i = 0; i < 5; ++i) {
    const auto sent = producer.send(ordered);
    ASSERT_TRUE(sent);
    used.emplace(sent->receipt.queue.broker_name, sent->receipt.queue.queue_id);
  }
  EXPECT_EQ(used.size(), 1U);
}

}  // namespace
}  // namespace gantry::client
