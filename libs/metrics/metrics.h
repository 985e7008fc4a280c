// SPDX-License-Identifier: Apache-2.0
// Counters, gauges and histograms that cost a few nanoseconds on the hot path, and the registry
// that writes them as Prometheus text.
//
// A cell (Counter, Gauge, Histogram) has one writer: the shard that made it. It is written with
// plain loads and stores (relaxed, no bus lock), and read by the scraping thread, which may see a
// count one step old. To count the same thing on several shards, each shard makes its own cell with
// the same name and labels; the scrape adds them up.
//
// Names are those RocketMQ 5 exposes, so that existing dashboards work. RocketMQ's exporter puts
// the unit into the sample name but not into the `# TYPE` line; here family name and sample name
// are equal (`rocketmq_consumer_lag_latency_milliseconds`), which is what queries use. The label
// otel_scope_name, always "broker-meter" there, is left out.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gantry::metrics {

enum class MetricType { kCounter, kGauge, kHistogram };

// Name, meaning and shape of a family. Make it a constant; the registry keeps the address.
struct MetricSpec {
  std::string_view name;
  MetricType type = MetricType::kGauge;
  std::string_view help = {};
  std::span<const double> buckets = {};  // upper bounds, rising, without +Inf; histograms only
};

using Labels = std::vector<std::pair<std::string, std::string>>;

// Only grows.
class Counter {
 public:
  void add(std::int64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double delta) { set(value() + delta); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Counts by upper bound, as a cell or as the sum of several.
struct HistogramSnapshot {
  std::vector<std::int64_t> counts;  // per bucket, not cumulative; the last one is +Inf
  double sum = 0;
};

class Histogram {
 public:
  // `bounds` must outlive the histogram (the registry's specs are constants).
  explicit Histogram(std::span<const double> bounds);

  void observe(double value);
  HistogramSnapshot snapshot() const;

 private:
  std::span<const double> bounds_;
  std::vector<std::atomic<std::int64_t>> counts_;
  std::atomic<double> sum_{0};
};

// Takes the samples of a collector during one scrape. A wrong shape (histogram into a gauge family)
// is dropped.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void sample(const MetricSpec& spec, Labels labels, double value) = 0;
  virtual void histogram(const MetricSpec& spec, Labels labels, HistogramSnapshot snapshot) = 0;
};

// Called by the scraping thread, one scrape at a time: it must only read what is safe to read from
// there (atomics, snapshots), and must not register or remove anything.
using Collector = std::function<void(Sink&)>;

// All metrics of a process. Thread-safe. Owned by the app, which outlives everything registered.
class Registry {
 public:
  // `common` labels are put on every sample, e.g. cluster, node_type and node_id.
  explicit Registry(Labels common = {});
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Makes one more cell of that series. The caller owns it; when the last owner lets it go, the
  // series leaves the exposition (e.g. the topic was deleted). `spec` must outlive the registry.
  std::shared_ptr<Counter> counter(const MetricSpec& spec, Labels labels = {});
  std::shared_ptr<Gauge> gauge(const MetricSpec& spec, Labels labels = {});
  std::shared_ptr<Histogram> histogram(const MetricSpec& spec, Labels labels = {});

  // Runs `collector` at each scrape for as long as the returned handle lives. Letting the handle go
  // waits for a scrape in progress.
  [[nodiscard]] std::shared_ptr<void> add_collector(Collector collector);

  // The exposition in Prometheus text format 0.0.4, families sorted by name.
  std::string scrape();

 private:
  struct State;
  struct CollectorHandle;
  std::shared_ptr<State> state_;
};

// Content type of `scrape`.
inline constexpr std::string_view kTextContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace gantry::metrics
