// SPDX-License-Identifier: Apache-2.0
#include "client/topic_queues.h"

#include <gtest/gtest.h>

#include <set>

namespace gantry::client {
namespace {

using protocol::BrokerData;
using protocol::QueueData;
using protocol::TopicRouteData;

BrokerData broker(std::string name, std::map<std::int64_t, std::string> addresses) {
  BrokerData data;
  data.broker_name = std::move(name);
  data.broker_addrs = std::move(addresses);
  return data;
}

QueueData queues(std::string name, int read, int write, int perm) {
  QueueData data;
  data.broker_name = std::move(name);
  data.read_queue_nums = read;
  data.write_queue_nums = write;
  data.perm = perm;
  return data;
}

TopicRouteData two_brokers() {
  TopicRouteData route;
  route.broker_datas = {broker("a", {{0, "a0:1"}, {1, "a1:1"}}), broker("b", {{0, "b0:1"}})};
  route.queue_datas = {queues("a", 2, 3, 6), queues("b", 1, 1, 6)};
  return route;
}

TEST(TopicQueues, WritableAndReadableCountsDiffer) {
  const auto writable = writable_queues("t", two_brokers());
  ASSERT_EQ(writable.size(), 4U);
  EXPECT_EQ(writable[2], (QueueAddress{{"t", "a", 2}, "a0:1"}));
  EXPECT_EQ(readable_queues("t", two_brokers()).size(), 3U);
}

TEST(TopicQueues, PermissionDecides) {
  auto route = two_brokers();
  route.queue_datas[0].perm = 4;
  EXPECT_EQ(writable_queues("t", route).size(), 1U);
  EXPECT_EQ(readable_queues("t", route).size(), 3U);
  route.queue_datas[0].perm = 2;
  EXPECT_EQ(readable_queues("t", route).size(), 1U);
}

TEST(TopicQueues, WithoutMasterOnlyReading) {
  auto route = two_brokers();
  route.broker_datas[0].broker_addrs = {{2, "a2:1"}, {3, "a3:1"}};
  EXPECT_EQ(writable_queues("t", route).size(), 1U);
  const auto readable = readable_queues("t", route);
  ASSERT_EQ(readable.size(), 3U);
  EXPECT_EQ(readable[0].address, "a2:1");
}

TEST(TopicQueues, ABrokerThatTheRouteDoesNotNameIsLeftOut) {
  auto route = two_brokers();
  route.broker_datas.pop_back();
  EXPECT_EQ(writable_queues("t", route).size(), 3U);
}

TEST(RoundRobin, InterleavesBrokersAndVisitsAll) {
  RoundRobin turn(writable_queues("t", two_brokers()));
  std::set<std::pair<std::string, int>> seen;
  EXPECT_EQ(turn.next().queue.broker_name, "a");
  EXPECT_EQ(turn.next().queue.broker_name, "b");
  for (int i = 0; i < 4; ++i) {
    const auto& queue = turn.next().queue;
    seen.emplace(queue.broker_name, queue.queue_id);
  }
  EXPECT_EQ(seen.size(), 4U);
}

TEST(RoundRobin, AvoidsABrokerWhileThereIsAnother) {
  RoundRobin turn(writable_queues("t", two_brokers()));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(turn.next_avoiding("a").queue.broker_name, "b");
  RoundRobin alone({{{"t", "a", 0}, "a0:1"}});
  EXPECT_EQ(alone.next_avoiding("a").queue.broker_name, "a");
}

TEST(RoundRobin, AKeyAlwaysHasTheSameQueue) {
  const RoundRobin turn(writable_queues("t", two_brokers()));
  EXPECT_EQ(turn.of_key("customer-1"), turn.of_key("customer-1"));
  std::set<const QueueAddress*> used;
  for (int i = 0; i < 100; ++i) used.insert(&turn.of_key("customer-" + std::to_string(i)));
  EXPECT_EQ(used.size(), 4U);
}

}  // namespace
}  // namespace gantry::client
