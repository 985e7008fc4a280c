// SPDX-License-Identifier: Apache-2.0
#include "metrics/rocketmq_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::metrics::rocketmq {
namespace {

using testing::HasSubstr;

// The sample names that dashboards made for RocketMQ 5 query.
TEST(RocketmqMetrics, sample_names_and_types_are_those_of_rocketmq) {
  Registry registry({{"cluster", "DefaultCluster"}, {"node_id", "b"}, {"node_type", "broker"}});
  const auto in = registry.counter(
      kMessagesInTotal, {{"topic", "T"}, {"message_type", "normal"}, {"is_system", "false"}});
  in->add(2);
  const auto lag = registry.gauge(
      kConsumerLagLatency,
      {{"topic", "T"}, {"consumer_group", "g"}, {"is_retry", "false"}, {"is_system", "false"}});
  lag->set(1500);
  const auto size = registry.histogram(kMessageSize, {{"topic", "T"}});
  size->observe(4096);
  const std::string text = registry.scrape();
  EXPECT_THAT(text, HasSubstr("rocketmq_messages_in_total{cluster=\"DefaultCluster\","
                              "is_system=\"false\",message_type=\"normal\",node_id=\"b\","
                              "node_type=\"broker\",topic=\"T\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE rocketmq_consumer_lag_latency_milliseconds gauge\n"));
  EXPECT_THAT(text, HasSubstr("rocketmq_consumer_lag_latency_milliseconds{cluster="));
  for (const char* bound : {"1024", "4096", "524288", "1048576", "2097152", "4194304", "+Inf"}) {
    EXPECT_THAT(text, HasSubstr(std::string("le=\"") + bound + "\"}"));
  }
}

TEST(RocketmqMetrics, histograms_have_the_bounds_of_rocketmq) {
  const auto bounds = [](const MetricSpec& spec) {
    return std::vector<double>(spec.buckets.begin(), spec.buckets.end());
  };
  EXPECT_EQ(bounds(kRpcLatency), (std::vector<double>{1, 3, 5, 7, 10, 100, 1000, 2000, 3000}));
  EXPECT_EQ(bounds(kMessageSize),
            (std::vector<double>{1024, 4096, 524288, 1048576, 2097152, 4194304}));
  EXPECT_EQ(bounds(kDelayMessageLatency),
            (std::vector<double>{60, 600, 3600, 43200, 86400, 259200}));
  EXPECT_EQ(bounds(kFinishMessageLatency), (std::vector<double>{5, 60, 600, 3600, 43200, 86400}));
  EXPECT_EQ(bounds(kPopBufferScanTime), (std::vector<double>{1, 10, 100, 1000, 2000, 3000}));
}

}  // namespace
}  // namespace gantry::metrics::rocketmq
