// SPDX-License-Identifier: Apache-2.0
#include "client/broker.h"

#include <gtest/gtest.h>

#include "client/connections.h"
#include "protocol/reset_offset.h"
#include "tests/unit/client/scripted_server.h"
#include "tests/unit/client/test_records.h"

namespace gantry::client {
namespace {

using protocol::Command;
using protocol::MessageQueue;
using protocol::RequestCode;
using protocol::ResponseCode;
using test::ScriptedServer;

const MessageQueue kQueue{"orders", "broker-a", 3};

class BrokerTest : public testing::Test {
 protected:
  Command only_request(RequestCode code) const {
    const auto requests = server_.requests(code);
    EXPECT_EQ(requests.size(), 1U);
    return requests.empty() ? Command{} : requests.front();
  }

  ScriptedServer server_;
  Connections connections_{
      {.connect_timeout = std::chrono::seconds(2), .call_timeout = std::chrono::seconds(2)}};
  Broker broker_{connections_, server_.address()};
};

TEST_F(BrokerTest, UpdateTopicSendsAllFields) {
  server_.on(RequestCode::kUpdateAndCreateTopic, test::success());
  protocol::TopicConfig config;
  config.topic_name = "orders";
  config.read_queue_nums = 4;
  config.write_queue_nums = 5;
  config.perm = 6;
  config.order = true;
  EXPECT_TRUE(broker_.update_topic(config, "+message.type=FIFO"));
  const Command request = only_request(RequestCode::kUpdateAndCreateTopic);
  EXPECT_EQ(request.find("topic"), "orders");
  EXPECT_EQ(request.find("readQueueNums"), "4");
  EXPECT_EQ(request.find("writeQueueNums"), "5");
  EXPECT_EQ(request.find("perm"), "6");
  EXPECT_EQ(request.find("order"), "true");
  EXPECT_EQ(request.find("topicFilterType"), "SINGLE_TAG");
  EXPECT_EQ(request.find("attributes"), "+message.type=FIFO");
}

TEST_F(BrokerTest, ARefusalIsAnError) {
  server_.on(RequestCode::kGetTopicConfig, test::refuse(ResponseCode::kTopicNotExist, "no topic"));
  const auto missing = broker_.topic_config("orders");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message,
            "broker " + server_.address() + ": no topic (TOPIC_NOT_EXIST, 17)");
}

protocol::TopicConfigTable page(std::vector<std::string> topics, std::int64_t counter) {
  protocol::TopicConfigTable table;
  for (const std::string& name : topics) table.topics[name].topic_name = name;
  table.data_version.counter = counter;
  return table;
}

TEST_F(BrokerTest, AnAnswerWithoutTotalIsComplete) {
  server_.on(RequestCode::kGetAllTopicConfig, test::with_body(page({"a", "b"}, 1).to_json()));
  EXPECT_EQ(broker_.topic_configs().value().size(), 2U);
  EXPECT_EQ(server_.requests(RequestCode::kGetAllTopicConfig).size(), 1U);
}

TEST_F(BrokerTest, PagesAreJoined) {
  server_.on(RequestCode::kGetAllTopicConfig, [](const Command& request) {
    const bool first = request.find("topicSeq") == "0";
    auto answer = test::with_body(first ? page({"a", "b"}, 7).to_json() : page({"c"}, 7).to_json());
    answer.with("totalTopicNum", 3);
    return answer;
  });
  EXPECT_EQ(broker_.topic_configs().value().size(), 3U);
  const auto requests = server_.requests(RequestCode::kGetAllTopicConfig);
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[1].find("topicSeq"), "2");
  EXPECT_EQ(requests[1].find("dataVersion"), page({}, 7).data_version.to_json());
}

TEST_F(BrokerTest, AChangeBetweenPagesStartsAgain) {
  int calls = 0;
  server_.on(RequestCode::kGetAllTopicConfig, [&](const Command& request) {
    ++calls;
    const bool first = request.find("topicSeq") == "0";
    auto answer = test::with_body(first ? page({"a", "b"}, calls).to_json()
                                        : page({"c"}, calls == 2 ? 99 : calls - 1).to_json());
    answer.with("totalTopicNum", 3);
    return answer;
  });
  EXPECT_EQ(broker_.topic_configs().value().size(), 3U);
  EXPECT_EQ(calls, 4);
}

TEST_F(BrokerTest, AnEmptyPageEndsTheList) {
  server_.on(RequestCode::kGetAllTopicConfig, [](const Command& request) {
    auto answer = test::with_body(request.find("topicSeq") == "0" ? page({"a"}, 1).to_json()
                                                                  : page({}, 1).to_json());
    answer.with("totalTopicNum", 100);
    return answer;
  });
  EXPECT_EQ(broker_.topic_configs().value().size(), 1U);
}

TEST_F(BrokerTest, QueueNumbers) {
  server_.on(RequestCode::kGetMaxOffset, test::success().with("offset", 42));
  server_.on(RequestCode::kGetMinOffset, test::success().with("offset", 2));
  server_.on(RequestCode::kSearchOffsetByTimestamp, test::success().with("offset", 7));
  EXPECT_EQ(broker_.max_offset(kQueue).value(), 42);
  EXPECT_EQ(broker_.min_offset(kQueue).value(), 2);
  EXPECT_EQ(broker_.offset_by_time(kQueue, 1234).value(), 7);
  const Command request = only_request(RequestCode::kSearchOffsetByTimestamp);
  EXPECT_EQ(request.find("topic"), "orders");
  EXPECT_EQ(request.find("queueId"), "3");
  EXPECT_EQ(request.find("timestamp"), "1234");
}

TEST_F(BrokerTest, AGroupWithoutOffsetHasNone) {
  server_.on(RequestCode::kQueryConsumerOffset, test::refuse(ResponseCode::kQueryNotFound));
  EXPECT_EQ(broker_.consumer_offset("g", kQueue).value(), std::nullopt);
  server_.on(RequestCode::kQueryConsumerOffset, test::success().with("offset", 5));
  EXPECT_EQ(broker_.consumer_offset("g", kQueue).value(), 5);
  server_.on(RequestCode::kQueryConsumerOffset, test::refuse(ResponseCode::kSystemError));
  EXPECT_FALSE(broker_.consumer_offset("g", kQueue));
}

TEST_F(BrokerTest, ResetSendsOffsetOnlyWhenGiven) {
  protocol::ResetOffsetBody body;
  body.offset_table[kQueue] = 9;
  server_.on(RequestCode::kInvokeBrokerToResetOffset, test::with_body(body.to_json()));
  Broker::Reset reset;
  reset.group = "g";
  reset.topic = "orders";
  reset.timestamp_ms = kEarliestTime;
  EXPECT_EQ(broker_.reset_offset(reset).value().at(kQueue), 9);
  Command request = only_request(RequestCode::kInvokeBrokerToResetOffset);
  EXPECT_EQ(request.find("timestamp"), "0");
  EXPECT_EQ(request.find("queueId"), "-1");
  EXPECT_EQ(request.find("offset"), std::nullopt);
  EXPECT_EQ(request.find("isForce"), "true");
  reset.queue_id = 3;
  reset.offset = 12;
  EXPECT_TRUE(broker_.reset_offset(reset));
  request = server_.requests(RequestCode::kInvokeBrokerToResetOffset).back();
  EXPECT_EQ(request.find("queueId"), "3");
  EXPECT_EQ(request.find("offset"), "12");
}

TEST_F(BrokerTest, QueriesDropHitsThatOnlyShareTheHash) {
  test::TestMessage wanted;
  wanted.keys = "order-1 x";
  test::TestMessage other;
  other.keys = "order-2";
  server_.on(RequestCode::kQueryMessage,
             test::with_body(test::record(wanted) + test::record(other)));
  Broker::KeyQuery query;
  query.topic = "orders";
  query.key = "order-1";
  EXPECT_EQ(broker_.query_messages(query).value().size(), 1U);
  EXPECT_EQ(only_request(RequestCode::kQueryMessage).find("_UNIQUE_KEY_QUERY"), std::nullopt);
  server_.on(RequestCode::kQueryMessage, test::refuse(ResponseCode::kQueryNotFound));
  EXPECT_TRUE(broker_.query_messages(query).value().empty());
}

TEST_F(BrokerTest, AUniqueIdIsAskedForAsSuch) {
  test::TestMessage wanted;
  wanted.unique_id = "UNIQ";
  server_.on(RequestCode::kQueryMessage, test::with_body(test::record(wanted)));
  Broker::KeyQuery query;
  query.topic = "orders";
  query.key = "UNIQ";
  query.unique_id = true;
  EXPECT_EQ(broker_.query_messages(query).value().size(), 1U);
  EXPECT_EQ(only_request(RequestCode::kQueryMessage).find("_UNIQUE_KEY_QUERY"), "true");
}

TEST_F(BrokerTest, APositionWithoutMessageIsNotFound) {
  server_.on(RequestCode::kViewMessageById, test::refuse(ResponseCode::kSystemError, "no message"));
  EXPECT_EQ(broker_.message_at(12, "orders").error().code, ErrorCode::kNotFound);
  server_.on(RequestCode::kViewMessageById, test::with_body(test::record({})));
  EXPECT_EQ(broker_.message_at(12, "orders").value().body, "hello");
}

Command pulled(ResponseCode code, std::int64_t next, std::string records = {}) {
  auto answer = test::refuse(code);
  answer.with("nextBeginOffset", next).with("minOffset", 2).with("maxOffset", 10);
  answer.with("suggestWhichBrokerId", 0);
  answer.body = std::move(records);
  return answer;
}

TEST_F(BrokerTest, OneMessageOfAQueue) {
  test::TestMessage message;
  message.queue_id = 3;
  message.offset = 7;
  server_.on(RequestCode::kPullMessage, pulled(ResponseCode::kSuccess, 8, test::record(message)));
  EXPECT_EQ(broker_.message_of_queue(kQueue, 7).value().queue_offset, 7);
  const Command request = only_request(RequestCode::kPullMessage);
  EXPECT_EQ(request.find("queueOffset"), "7");
  EXPECT_EQ(request.find("sysFlag"), "4");  // a subscription, no long polling
  server_.on(RequestCode::kPullMessage, pulled(ResponseCode::kPullOffsetMoved, 10));
  const auto missing = broker_.message_of_queue(kQueue, 70);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message.find("2 to 9"), std::string::npos) << missing.error().message;
}

TEST_F(BrokerTest, ABrokerThatIsAwayIsNamed) {
  const std::string address = test::dead_address();
  const auto away = Broker(connections_, address).runtime_info();
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(away.error().message.find(address), std::string::npos);
}

}  // namespace
}  // namespace gantry::client
