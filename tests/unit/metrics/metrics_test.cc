// SPDX-License-Identifier: Apache-2.0
#include "metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <latch>
#include <limits>
#include <string>
#include <thread>

namespace gantry::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr MetricSpec kSent{
    .name = "test_sent_total", .type = MetricType::kCounter, .help = "Messages sent"};
constexpr MetricSpec kDepth{.name = "test_depth", .help = "Queue depth"};
constexpr std::array kBounds{1.0, 10.0, 100.0};
constexpr MetricSpec kLatency{.name = "test_latency_ms",
                              .type = MetricType::kHistogram,
                              .help = "Latency",
                              .buckets = kBounds};

TEST(Metrics, counters_of_several_shards_are_one_series) {
  Registry registry;
  const auto first = registry.counter(kSent, {{"topic", "a"}});
  const auto second = registry.counter(kSent, {{"topic", "a"}});
  const auto other = registry.counter(kSent, {{"topic", "b"}});
  first->add(3);
  second->add();
  other->add(7);
  EXPECT_EQ(registry.scrape(),
            "# HELP test_sent_total Messages sent\n"
            "# TYPE test_sent_total counter\n"
            "test_sent_total{topic=\"a\"} 4\n"
            "test_sent_total{topic=\"b\"} 7\n");
}

TEST(Metrics, label_order_does_not_make_another_series) {
  Registry registry;
  const auto first = registry.gauge(kDepth, {{"a", "1"}, {"b", "2"}});
  const auto second = registry.gauge(kDepth, {{"b", "2"}, {"a", "1"}});
  first->set(1.5);
  second->add(2);
  EXPECT_THAT(registry.scrape(), HasSubstr("test_depth{a=\"1\",b=\"2\"} 3.5\n"));
}

TEST(Metrics, common_labels_are_on_every_sample_unless_the_series_has_its_own) {
  Registry registry({{"cluster", "c"}, {"node_id", "n"}});
  const auto plain = registry.gauge(kDepth);
  const auto own = registry.gauge(kDepth, {{"node_id", "other"}});
  own->set(2);
  const std::string text = registry.scrape();
  EXPECT_THAT(text, HasSubstr("test_depth{cluster=\"c\",node_id=\"n\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("test_depth{cluster=\"c\",node_id=\"other\"} 2\n"));
}

TEST(Metrics, histogram_buckets_are_cumulative_and_bounds_inclusive) {
  Registry registry;
  const auto first = registry.histogram(kLatency);
  const auto second = registry.histogram(kLatency);
  for (const double value : {0.5, 1.0, 1.5, 100.0}) first->observe(value);
  second->observe(1000);
  EXPECT_EQ(registry.scrape(),
            "# HELP test_latency_ms Latency\n"
            "# TYPE test_latency_ms histogram\n"
            "test_latency_ms_count 5\n"
            "test_latency_ms_sum 1103\n"
            "test_latency_ms_bucket{le=\"1\"} 2\n"
            "test_latency_ms_bucket{le=\"10\"} 3\n"
            "test_latency_ms_bucket{le=\"100\"} 4\n"
            "test_latency_ms_bucket{le=\"+Inf\"} 5\n");
}

TEST(Metrics, a_series_leaves_with_its_last_owner) {
  Registry registry;
  auto gone = registry.counter(kSent, {{"topic", "gone"}});
  const auto stays = registry.counter(kSent, {{"topic", "stays"}});
  gone.reset();
  const std::string text = registry.scrape();
  EXPECT_THAT(text, Not(HasSubstr("gone")));
  EXPECT_THAT(text, HasSubstr("stays"));
}

TEST(Metrics, label_values_are_escaped) {
  Registry registry;
  const auto gauge = registry.gauge(kDepth, {{"topic", "a\"b\\c\nd"}});
  EXPECT_THAT(registry.scrape(), HasSubstr(R"(test_depth{topic="a\"b\\c\nd"} 0)"));
}

TEST(Metrics, collectors_add_samples_at_scrape_time) {
  Registry registry(Labels{{"cluster", "c"}});
  double lag = 5;
  auto handle = registry.add_collector([&](Sink& sink) {
    sink.sample(kDepth, {{"group", "g"}}, lag);
    sink.histogram(kLatency, {}, {.counts = {1, 0, 0, 2}, .sum = 9});
  });
  std::string text = registry.scrape();
  EXPECT_THAT(text, HasSubstr("test_depth{cluster=\"c\",group=\"g\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("test_latency_ms_count{cluster=\"c\"} 3\n"));
  lag = 6;
  EXPECT_THAT(registry.scrape(), HasSubstr("group=\"g\"} 6\n"));
  handle.reset();
  EXPECT_EQ(registry.scrape(), "");
}

TEST(Metrics, samples_of_a_wrong_shape_are_dropped) {
  constexpr MetricSpec kSameName{.name = "test_depth", .type = MetricType::kCounter, .help = "x"};
  Registry registry;
  const auto gauge = registry.gauge(kDepth);
  gauge->set(1);
  const auto handle = registry.add_collector([&](Sink& sink) {
    sink.sample(kSameName, {{"wrong", "type"}}, 1);
    sink.sample(kLatency, {}, 1);
    sink.histogram(kDepth, {{"wrong", "shape"}}, {.counts = {1}, .sum = 1});
    sink.histogram(kLatency, {{"wrong", "buckets"}}, {.counts = {1, 2}, .sum = 1});
  });
  const std::string text = registry.scrape();
  EXPECT_THAT(text, HasSubstr("# TYPE test_depth gauge\ntest_depth 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("wrong")));
}

TEST(Metrics, a_collector_handle_may_outlive_the_registry) {
  std::shared_ptr<void> handle;
  {
    Registry registry;
    handle = registry.add_collector([](Sink&) {});
  }
  handle.reset();
}

TEST(Metrics, letting_a_collector_go_waits_for_its_scrape) {
  Registry registry;
  std::latch entered(1);
  std::atomic<bool> collector_done{false};
  std::atomic<bool> let_finish{false};
  auto handle = registry.add_collector([&](Sink&) {
    entered.count_down();
    let_finish.wait(false);
    collector_done = true;
  });
  std::jthread scraper([&] { registry.scrape(); });
  entered.wait();
  std::jthread releaser([&] {
    handle.reset();
    EXPECT_TRUE(collector_done);
  });
  let_finish = true;
  let_finish.notify_all();
}

TEST(Metrics, scraping_while_a_shard_counts) {
  Registry registry;
  constexpr int kCount = 20'000;
  const auto counter = registry.counter(kSent);
  const auto histogram = registry.histogram(kLatency);
  {
    std::jthread writer([&] {
      for (int i = 0; i < kCount; ++i) {
        counter->add();
        histogram->observe(i);
      }
    });
    for (int i = 0; i < 20; ++i) EXPECT_THAT(registry.scrape(), HasSubstr("test_sent_total "));
  }
  EXPECT_THAT(registry.scrape(), HasSubstr("test_sent_total 20000\n"));
  EXPECT_THAT(registry.scrape(), HasSubstr("test_latency_ms_count 20000\n"));
}

}  // namespace
}  // namespace gantry::metrics
