// SPDX-License-Identifier: Apache-2.0
// The parts of a broker that decide without a log or a socket.
#include <gtest/gtest.h>

#include "broker/client/queue_locks.h"
#include "broker/core/delay_levels.h"
#include "broker/core/memory_shares.h"
#include "broker/core/record_facts.h"
#include "broker/core/stats_item.h"
#include "broker/pull/message_filter.h"
#include "broker/pull/pull_request.h"
#include "broker/send/client_properties.h"
#include "broker/send/send_request.h"
#include "protocol/codes.h"
#include "protocol/properties.h"

namespace gantry::broker {
namespace {

TEST(DelayStep, TravelsInOneField) {
  for (const DelayStep step :
       {DelayStep{1, QueueOffset(0)}, DelayStep{18, QueueOffset(123456789)}}) {
    const auto back = DelayStep::decode(step.encode());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->level, step.level);
    EXPECT_EQ(back->scheduled, step.scheduled);
  }
  EXPECT_FALSE(DelayStep::decode(0));
  EXPECT_FALSE(DelayStep::decode(4096));  // a half message's position is no step
}

TEST(DelayStep, IsNotShownToClients) {
  protocol::RecordFields f;
  f.topic = "T";
  f.body = "b";
  f.prepared_transaction_offset = DelayStep{3, QueueOffset(9)}.encode();
  std::string bytes(protocol::encoded_size(f), '\0');
  protocol::encode_record(f, bytes.data());
  std::string served;
  append_served(served, std::string_view(bytes));
  EXPECT_EQ(served.size(), bytes.size());
  EXPECT_EQ(protocol::decode_record(served)->prepared_transaction_offset, 0);
}

TEST(DelayLevels, ClampsToTheLast) {
  const DelayLevels levels({1000, 5000});
  EXPECT_EQ(levels.clamp(99), 2);
  EXPECT_EQ(levels.delay_ms(1), 1000);
  EXPECT_EQ(levels.delay_ms(2), 5000);
}

TEST(MemoryShares, TheTailCacheIsAQuarterOfTheMemory) {
  constexpr std::int64_t kMiB = 1 << 20;
  config::BrokerConfig config;
  EXPECT_EQ(tail_cache_bytes(config, 256 * kMiB), 64U * kMiB);
  EXPECT_EQ(tail_cache_bytes(config, 512 * kMiB), 128U * kMiB);
  EXPECT_EQ(tail_cache_bytes(config, 65536 * kMiB), 128U * kMiB);
  config.tail_cache_bytes = 200 * kMiB;
  EXPECT_EQ(tail_cache_bytes(config, 256 * kMiB), 200U * kMiB) << "what is configured counts";
}

TEST(MemoryShares, MessagesCountAsInMemoryWithinARatioOfIt) {
  config::BrokerConfig config;
  EXPECT_EQ(in_memory_bytes(config, 1000), 400);
  config.access_message_in_memory_max_ratio = 0;
  EXPECT_EQ(in_memory_bytes(config, 1000), 0);
}

class ClientPropertiesTest : public ::testing::Test {
 protected:
  ClientProperties rewrite(std::string_view text) {
    broker_.set("Region", true, "Cluster");
    return rewrite_properties(text, broker_, ids_, 1'000'000, out_);
  }
  BrokerProperties broker_;
  protocol::UniqueIdGenerator ids_{*protocol::RecordHost::parse("10.0.0.1", 1), 1, 1};
  std::string out_;
};

TEST_F(ClientPropertiesTest, AddsWhatTheBrokerSays) {
  const auto p = rewrite("KEYS\x01k\x02UNIQ_KEY\x01u1\x02");
  EXPECT_EQ(p.uniq_key, "u1");
  EXPECT_EQ(protocol::find_property(out_, "MSG_REGION"), "Region");
  EXPECT_EQ(protocol::find_property(out_, "TRACE_ON"), "true");
  EXPECT_EQ(protocol::find_property(out_, "CLUSTER"), "Cluster");
  EXPECT_EQ(protocol::find_property(out_, "KEYS"), "k");
}

TEST_F(ClientPropertiesTest, ClientsCannotSayWhatIsOurs) {
  rewrite(
      "__CRC32#\x01"
      "1234567890\x02__GANTRY_STEP\x01x\x02POP_CK\x01y\x02"
      "CLUSTER\x01mine\x02MSG_REGION\x01r\x02"
      "TRACE_ON\x01no\x02");
  EXPECT_FALSE(protocol::find_property(out_, "__CRC32#"));
  EXPECT_FALSE(protocol::find_property(out_, "__GANTRY_STEP"));
  EXPECT_FALSE(protocol::find_property(out_, "POP_CK"));
  EXPECT_EQ(protocol::find_property(out_, "CLUSTER"), "Cluster");
}

TEST_F(ClientPropertiesTest, MakesAUniqueKeyAndReadsTheRest) {
  const auto p = rewrite(
      "DELAY\x01"
      "3\x02WAIT\x01"
      "false\x02"
      "empty\x01\x02TRAN_MSG\x01true\x02");
  EXPECT_EQ(p.uniq_key.size(), 32U);
  EXPECT_EQ(p.delay_level, 3);
  EXPECT_FALSE(p.wait);
  EXPECT_TRUE(p.transaction);
  EXPECT_FALSE(protocol::find_property(out_, "empty"));
}

protocol::CommandView request(std::int32_t code, std::initializer_list<protocol::ExtField> fields) {
  protocol::CommandView view;
  view.code = code;
  for (const auto& f : fields) view.ext.add(f.key, f.value);
  return view;
}

TEST(SendRequest, BothSpellings) {
  const auto letters = SendRequest::parse(request(310, {{"a", "g"},
                                                        {"b", "T"},
                                                        {"c", "TBW102"},
                                                        {"d", "4"},
                                                        {"e", "2"},
                                                        {"f", "0"},
                                                        {"g", "55"},
                                                        {"h", "7"},
                                                        {"i", "p"},
                                                        {"j", "1"},
                                                        {"l", "16"},
                                                        {"m", "true"}}));
  ASSERT_TRUE(letters);
  EXPECT_EQ(letters->topic, "T");
  EXPECT_EQ(letters->queue_id, 2);
  EXPECT_EQ(letters->max_reconsume_times, 16);
  EXPECT_TRUE(letters->batch);
  const auto names = SendRequest::parse(request(10, {{"producerGroup", "g"},
                                                     {"topic", "T"},
                                                     {"defaultTopic", "TBW102"},
                                                     {"defaultTopicQueueNums", "4"},
                                                     {"queueId", "-1"},
                                                     {"sysFlag", "0"},
                                                     {"bornTimestamp", "55"},
                                                     {"flag", "7"}}));
  ASSERT_TRUE(names);
  EXPECT_EQ(names->queue_id, -1);
  EXPECT_FALSE(names->batch);
}

TEST(SendRequest, NamesWhatIsMissingOrWrong) {
  const auto missing = SendRequest::parse(request(310, {{"a", "g"}}));
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("topic"), std::string::npos);
  const auto wrong = SendRequest::parse(request(310, {{"e", "two"}}));
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("queueId"), std::string::npos);
}

TEST(MessageFilter, MatchesByHash) {
  const auto data = protocol::build_subscription("T", "TagA || TagB", "TAG");
  ASSERT_TRUE(data);
  const MessageFilter filter(*data);
  EXPECT_TRUE(filter.matches(protocol::tags_code("TagA")));
  EXPECT_TRUE(filter.matches(protocol::tags_code("TagB")));
  EXPECT_FALSE(filter.matches(protocol::tags_code("TagC")));
  EXPECT_FALSE(filter.matches(0));
  EXPECT_TRUE(MessageFilter().matches(0));
}

TEST(QueueLocks, OneOwnerUntilTheLeaseEnds) {
  QueueLocks locks(60000);
  const protocol::MessageQueue q0{"T", "b", 0}, q1{"T", "b", 1};
  EXPECT_EQ(locks.lock("g", "c1", {q0, q1}, 0).size(), 2U);
  EXPECT_TRUE(locks.lock("g", "c2", {q0}, 60000).empty());
  EXPECT_EQ(locks.lock("g", "c1", {q0}, 50000).size(), 1U);      // renewed
  EXPECT_EQ(locks.lock("g", "c2", {q0, q1}, 60001).size(), 1U);  // q1 ran out
  locks.unlock("g", "c1", {q0});
  EXPECT_EQ(locks.lock("g", "c2", {q0}, 60002).size(), 1U);
  EXPECT_TRUE(locks.any_held("g", 60002));
  EXPECT_FALSE(locks.any_held("g", 999999));
  EXPECT_FALSE(locks.any_held("other", 0));
}

TEST(StatsItem, RatesOverTheLastMinute) {
  StatsItem item;
  EXPECT_EQ(item.minute().sum, 0);
  item.sample(100'000, 0, 0);
  for (int i = 1; i <= 20; ++i) item.sample(100'000 + i * 10'000, i * 50, i * 10);
  EXPECT_EQ(item.minute().sum, 300);
  EXPECT_DOUBLE_EQ(item.minute().tps, 5.0);
  EXPECT_DOUBLE_EQ(item.minute().avgpt, 5.0);
  EXPECT_DOUBLE_EQ(item.rate(10), 5.0);
  StatsItem fresh;  // counted before its first sample
  fresh.sample(50'000, 40, 4);
  EXPECT_EQ(fresh.minute().sum, 40);
}

TEST(RecordFacts, OnePassFindsTagsKeysAndLevel) {
  const RecordFacts f = RecordFacts::of(
      "TAGS\x01"
      "a\x02KEYS\x01k1  k2\x02UNIQ_KEY\x01u\x02"
      "DELAY\x01"
      "4\x02");
  EXPECT_EQ(f.tags, "a");
  EXPECT_EQ(f.delay_level, 4);
  std::vector<std::string> keys;
  for_each_key(f.keys, [&](std::string_view k) { keys.emplace_back(k); });
  EXPECT_EQ(keys, (std::vector<std::string>{"k1", "k2"}));
}

}  // namespace
}  // namespace gantry::broker
