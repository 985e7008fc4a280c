// SPDX-License-Identifier: Apache-2.0
#include "broker/http/broker_http.h"

#include <fmt/core.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "broker/core/context.h"
#include "broker/http/broker_metrics.h"
#include "broker/http/group_http.h"
#include "broker/http/group_status.h"
#include "broker/http/leadership_http.h"
#include "broker/http/node_status.h"
#include "broker/route/namesrv_registrar.h"
#include "http/health.h"
#include "http/http_server.h"
#include "http/metrics_endpoint.h"
#include "metrics/metrics.h"

namespace gantry::broker {
namespace {

constexpr std::chrono::milliseconds kShardTimeout{5000};
// Probes of the kubelet, scrapes, and one that asks for the readiness while the loop hangs: that
// holds a thread for as long as both checks wait for the loop.
constexpr std::size_t kHttpThreads = 3;

constexpr std::chrono::milliseconds kTickPeriod{1000};
constexpr std::int64_t kTickMissingUs =
    30'000'000;  // the loop has not turned for so long: it hangs

// The samples of one scrape, kept until all of them are there.
class Samples final : public metrics::Sink {
 public:
  void sample(const metrics::MetricSpec& spec, metrics::Labels labels, double value) override {
    values_.push_back({&spec, std::move(labels), value});
  }
  void histogram(const metrics::MetricSpec& spec, metrics::Labels labels,
                 metrics::HistogramSnapshot snapshot) override {
    histograms_.push_back({&spec, std::move(labels), std::move(snapshot)});
  }
  void replay(metrics::Sink& sink) const {
    for (const Value& v : values_) sink.sample(*v.spec, v.labels, v.value);
    for (const Shape& h : histograms_) sink.histogram(*h.spec, h.labels, h.snapshot);
  }

 private:
  struct Value {
    const metrics::MetricSpec* spec;  // the families are constants
    metrics::Labels labels;
    double value;
  };
  struct Shape {
    const metrics::MetricSpec* spec;
    metrics::Labels labels;
    metrics::HistogramSnapshot snapshot;
  };
  std::vector<Value> values_;
  std::vector<Shape> histograms_;
};

// From the shard to the thread that scrapes, which may have given up by then.
class SampleDelivery {
 public:
  void put(Samples samples) {
    const std::lock_guard lock(mutex_);
    samples_ = std::move(samples);
    ready_.notify_one();
  }
  std::optional<Samples> wait_for(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, timeout, [this] { return samples_.has_value(); });
    return std::move(samples_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::optional<Samples> samples_;
};

}  // namespace

class BrokerHttp::Impl {
 public:
  Impl(const config::BrokerConfig& config, runtime::Shard& shard,
       const std::atomic<BrokerPhase>& phase)
      : config_(config),
        shard_(shard),
        phase_(phase),
        registry_(metrics::Labels{{"cluster", config.broker_cluster_name},
                                  {"node_type", "broker"},
                                  {"node_id", config.broker_name}}) {
    add_health();
    health_.mount(server_);
    http::mount_metrics(server_, registry_);
    collector_ = registry_.add_collector([this](metrics::Sink& sink) {
      const auto delivery = std::make_shared<SampleDelivery>();
      shard_.post([this, delivery] { collect(delivery); });
      if (const auto samples = delivery->wait_for(kShardTimeout)) samples->replay(sink);
    });
    server_.get("/v1/node", [this](const http::Request&) { return node(); });
  }

  void collect(std::shared_ptr<SampleDelivery> delivery) {
    if (!sources_) return delivery->put({});
    look_up(sources_->context.storage.log(), [this, delivery](LogLookup& lookup) {
      Samples samples;
      if (sources_) collect_metrics(*sources_, lookup, samples);
      if (lookup.complete()) delivery->put(std::move(samples));
    });
  }

  void add_health() {
    // Alive as long as the event loop turns; opening the store may take its time.
    health_.add(http::Probe::kLive, "loop", [this]() -> http::CheckResult {
      const std::int64_t tick = last_tick_us_.load();
      if (phase_ != BrokerPhase::kRunning || tick == 0) return std::nullopt;
      const std::int64_t silent_us = system_clock().steady_us() - tick;
      if (silent_us < kTickMissingUs) return std::nullopt;
      return NotReady{
          .text = fmt::format("the event loop has not turned for {} s", silent_us / 1'000'000),
          .reason = reason::kEventLoopHangs};
    });
    const auto running = [this]() -> http::CheckResult {
      switch (phase_.load()) {
        case BrokerPhase::kStarting:
          return NotReady{.text = "the store is being opened", .reason = reason::kStarting};
        case BrokerPhase::kRunning:
          return std::nullopt;
        case BrokerPhase::kStopping:
          return NotReady{.text = "the broker is stopping", .reason = reason::kStopping};
      }
      return NotReady{.text = "unknown phase"};
    };
    health_.add(http::Probe::kStartup, "store", running);
    health_.add(http::Probe::kReady, "broker", running);
    health_.add(http::Probe::kReady, "group", [this]() -> http::CheckResult {
      if (phase_ != BrokerPhase::kRunning) return std::nullopt;  // "broker" says so
      auto why = std::make_shared<http::CheckResult>(
          NotReady{.text = "the event loop does not answer", .reason = reason::kEventLoopHangs});
      shard_.call(
          [this, why] {
            const auto& group = group_.sources();
            *why = group ? group_obstacle(group->context, group->peers, group->maintenance)
                         : std::nullopt;
          },
          kShardTimeout);
      return *why;
    });
    // One that has never been registered is known to nobody. NameServers that go away later leave
    // clients with the routes they have: that makes no broker unready.
    health_.add(http::Probe::kReady, "namesrv", [this]() -> http::CheckResult {
      if (phase_ != BrokerPhase::kRunning) return std::nullopt;
      auto why = std::make_shared<http::CheckResult>();
      shard_.call(
          [this, why] {
            if (sources_) *why = sources_->context.registrar->obstacle();
          },
          kShardTimeout);
      return *why;
    });
  }

  http::Response node() {
    auto body = std::make_shared<std::optional<std::string>>();
    const bool ran = shard_.call(
        [this, body] {
          if (sources_) *body = node_status_json(sources_->context, GANTRY_VERSION);
        },
        kShardTimeout);
    if (!ran || !*body)
      return {503, "application/json", "{\"error\":\"the broker is not serving\"}"};
    return {200, "application/json", **body};
  }

  const config::BrokerConfig& config_;
  runtime::Shard& shard_;
  const std::atomic<BrokerPhase>& phase_;
  std::atomic<std::int64_t> last_tick_us_{0};
  std::optional<MetricSources> sources_;  // shard only
  std::unique_ptr<runtime::Timer> tick_;  // shard only
  http::HealthChecks health_;
  metrics::Registry registry_;
  http::HttpServer server_{{.threads = kHttpThreads + LeadershipHttp::kWaitingMax}};
  GroupHttp group_{shard_, server_};
  LeadershipHttp leadership_{shard_, server_};
  std::shared_ptr<void> collector_;
  std::uint16_t port_ = 0;
};

BrokerHttp::BrokerHttp(const config::BrokerConfig& config, runtime::Shard& shard,
                       const std::atomic<BrokerPhase>& phase)
    : impl_(std::make_unique<Impl>(config, shard, phase)) {}

BrokerHttp::~BrokerHttp() {
  impl_->leadership_.close();
  impl_->server_.stop();
  impl_->collector_.reset();
}

Result<void> BrokerHttp::listen() {
  const auto port = impl_->server_.listen(impl_->config_.http_address, impl_->config_.http_port);
  if (!port) return std::unexpected(port.error());
  impl_->port_ = static_cast<std::uint16_t>(*port);
  return {};
}

std::uint16_t BrokerHttp::port() const { return impl_->port_; }

void BrokerHttp::attach(const MetricSources& sources, const GroupSources& group) {
  impl_->sources_.emplace(sources);
  impl_->group_.attach(group);
  impl_->leadership_.attach(sources.context.storage);
  const auto tick = [this] { impl_->last_tick_us_ = system_clock().steady_us(); };
  tick();
  impl_->tick_ = impl_->shard_.every(kTickPeriod, tick);
}

void BrokerHttp::detach() {
  impl_->sources_.reset();
  impl_->group_.detach();
  impl_->leadership_.detach();
  impl_->tick_.reset();
}

}  // namespace gantry::broker
