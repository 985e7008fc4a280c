// SPDX-License-Identifier: Apache-2.0
#include "metrics/metrics.h"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cassert>
#include <limits>
#include <map>
#include <mutex>
#include <sstream>
#include <unordered_map>
#include <variant>

namespace gantry::metrics {
namespace {

void add_to(HistogramSnapshot& total, const HistogramSnapshot& part) {
  if (total.counts.size() < part.counts.size()) total.counts.resize(part.counts.size());
  for (std::size_t i = 0; i < part.counts.size(); ++i) total.counts[i] += part.counts[i];
  total.sum += part.sum;
}

prometheus::MetricType to_prometheus(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricType::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

void fill_histogram(prometheus::ClientMetric& metric, std::span<const double> bounds,
                    const HistogramSnapshot& value) {
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < value.counts.size(); ++i) {
    cumulative += static_cast<std::uint64_t>(value.counts[i]);
    const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = value.sum;
}

// One scrape in progress: sums per family and label set.
class Collection final : public Sink {
 public:
  explicit Collection(const Labels& common) : common_(common) {}

  void sample(const MetricSpec& spec, Labels labels, double value) override {
    Family* family = find(spec);
    if (family == nullptr || spec.type == MetricType::kHistogram) return;
    family->series[complete(std::move(labels))].value += value;
  }

  void histogram(const MetricSpec& spec, Labels labels, HistogramSnapshot snapshot) override {
    Family* family = find(spec);
    if (family == nullptr || spec.type != MetricType::kHistogram ||
        snapshot.counts.size() != spec.buckets.size() + 1) {
      return;
    }
    add_to(family->series[complete(std::move(labels))].histogram, snapshot);
  }

  std::string text() const {
    std::vector<prometheus::MetricFamily> families;
    families.reserve(families_.size());
    for (const auto& [name, family] : families_) families.push_back(convert(family));
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families);
    return std::move(out).str();
  }

 private:
  struct Value {
    double value = 0;
    HistogramSnapshot histogram;
  };
  struct Family {
    const MetricSpec* spec;
    std::map<Labels, Value> series;
  };

  // The family of that name, or nullptr if the name is already taken by another shape: one name
  // with two types would make the whole exposition unreadable.
  Family* find(const MetricSpec& spec) {
    const auto [at, is_new] = families_.try_emplace(spec.name, Family{&spec, {}});
    const MetricSpec& known = *at->second.spec;
    if (!is_new && (known.type != spec.type || !std::ranges::equal(known.buckets, spec.buckets))) {
      return nullptr;
    }
    return &at->second;
  }

  Labels complete(Labels labels) const {
    for (const auto& label : common_) {
      const bool own = std::ranges::any_of(
          labels, [&](const auto& other) { return other.first == label.first; });
      if (!own) labels.push_back(label);
    }
    std::ranges::sort(labels);
    return labels;
  }

  static prometheus::MetricFamily convert(const Family& family) {
    prometheus::MetricFamily out;
    out.name = family.spec->name;
    out.help = family.spec->help;
    out.type = to_prometheus(family.spec->type);
    for (const auto& [labels, value] : family.series) {
      prometheus::ClientMetric metric;
      for (const auto& [name, text] : labels) metric.label.push_back({name, text});
      switch (family.spec->type) {
        case MetricType::kCounter:
          metric.counter.value = value.value;
          break;
        case MetricType::kGauge:
          metric.gauge.value = value.value;
          break;
        case MetricType::kHistogram:
          fill_histogram(metric, family.spec->buckets, value.histogram);
          break;
      }
      out.metric.push_back(std::move(metric));
    }
    return out;
  }

  const Labels& common_;
  std::map<std::string_view, Family> families_;
};

}  // namespace

Histogram::Histogram(std::span<const double> bounds) : bounds_(bounds), counts_(bounds.size() + 1) {
  assert(std::ranges::is_sorted(bounds));
}

void Histogram::observe(double value) {
  // A dozen bounds at most: scanning beats searching. Prometheus' bounds are inclusive.
  std::size_t i = 0;
  while (i < bounds_.size() && value > bounds_[i]) ++i;
  counts_[i].store(counts_[i].load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  sum_.store(sum_.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

HistogramSnapshot Histogram::snapshot() const {
  HistogramSnapshot result;
  result.counts.reserve(counts_.size());
  for (const auto& count : counts_) result.counts.push_back(count.load(std::memory_order_relaxed));
  result.sum = sum_.load(std::memory_order_relaxed);
  return result;
}

struct Registry::State {
  using Cell = std::variant<std::weak_ptr<Counter>, std::weak_ptr<Gauge>, std::weak_ptr<Histogram>>;
  struct Series {
    const MetricSpec* spec;
    Labels labels;
    Cell cell;
  };

  Labels common;
  std::mutex cells_mutex;
  std::vector<Series> cells;  // guarded by cells_mutex
  // Held during a whole scrape, so that removing a collector waits for one that runs.
  std::mutex scrape_mutex;
  std::map<std::uint64_t, Collector> collectors;  // guarded by scrape_mutex
  std::uint64_t next_collector = 0;               // guarded by scrape_mutex

  template <class T>
  std::shared_ptr<T> remember(const MetricSpec& spec, Labels labels, std::shared_ptr<T> cell) {
    const std::lock_guard lock(cells_mutex);
    cells.push_back({&spec, std::move(labels), std::weak_ptr<T>(cell)});
    return cell;
  }

  // Puts every living cell into `collection`; forgets the others.
  void collect_cells(Collection& collection) {
    const std::lock_guard lock(cells_mutex);
    std::erase_if(cells, [&](const Series& series) {
      return !std::visit([&](const auto& weak) { return collect(series, weak, collection); },
                         series.cell);
    });
  }

  template <class T>
  static bool collect(const Series& series, const std::weak_ptr<T>& weak, Collection& collection) {
    const auto cell = weak.lock();
    if (!cell) return false;
    if constexpr (std::is_same_v<T, Histogram>) {
      collection.histogram(*series.spec, series.labels, cell->snapshot());
    } else {
      collection.sample(*series.spec, series.labels, static_cast<double>(cell->value()));
    }
    return true;
  }
};

// Removes the collector. Keeps the state alive, so that it may outlive the registry.
struct Registry::CollectorHandle {
  CollectorHandle(std::shared_ptr<State> s, std::uint64_t i) : state(std::move(s)), id(i) {}
  ~CollectorHandle() {
    const std::lock_guard lock(state->scrape_mutex);
    state->collectors.erase(id);
  }
  CollectorHandle(const CollectorHandle&) = delete;
  CollectorHandle& operator=(const CollectorHandle&) = delete;

  std::shared_ptr<State> state;
  std::uint64_t id;
};

Registry::Registry(Labels common) : state_(std::make_shared<State>()) {
  state_->common = std::move(common);
}

Registry::~Registry() = default;

std::shared_ptr<Counter> Registry::counter(const MetricSpec& spec, Labels labels) {
  assert(spec.type == MetricType::kCounter);
  return state_->remember(spec, std::move(labels), std::make_shared<Counter>());
}

std::shared_ptr<Gauge> Registry::gauge(const MetricSpec& spec, Labels labels) {
  assert(spec.type == MetricType::kGauge);
  return state_->remember(spec, std::move(labels), std::make_shared<Gauge>());
}

std::shared_ptr<Histogram> Registry::histogram(const MetricSpec& spec, Labels labels) {
  assert(spec.type == MetricType::kHistogram);
  return state_->remember(spec, std::move(labels), std::make_shared<Histogram>(spec.buckets));
}

std::shared_ptr<void> Registry::add_collector(Collector collector) {
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(state_->scrape_mutex);
    id = state_->next_collector++;
    state_->collectors.emplace(id, std::move(collector));
  }
  return std::make_shared<CollectorHandle>(state_, id);
}

std::string Registry::scrape() {
  const std::lock_guard lock(state_->scrape_mutex);
  Collection collection(state_->common);
  state_->collect_cells(collection);
  for (const auto& [id, collector] : state_->collectors) collector(collection);
  return collection.text();
}

}  // namespace gantry::metrics
