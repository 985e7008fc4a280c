// SPDX-License-Identifier: Apache-2.0
#include "sidecar/sidecar_metrics.h"

#include "base/clock.h"

namespace gantry::sidecar {
namespace {

using metrics::MetricSpec;
using metrics::MetricType;

constexpr MetricSpec kPolls{"gantry_sidecar_broker_polls_total", MetricType::kCounter,
                            "Questions to the broker, by what they have shown"};
constexpr MetricSpec kLeads{"gantry_sidecar_broker_leads", MetricType::kGauge,
                            "1 while the broker counts as the leader"};
constexpr MetricSpec kLastSuccess{"gantry_sidecar_last_success_timestamp_seconds",
                                  MetricType::kGauge, "When the last question was answered"};
constexpr MetricSpec kRequests{"gantry_sidecar_api_requests_total", MetricType::kCounter,
                               "Requests to the Kubernetes API, each attempt"};
constexpr MetricSpec kErrors{"gantry_sidecar_api_errors_total", MetricType::kCounter,
                             "Requests to the Kubernetes API that have failed after all attempts"};
constexpr MetricSpec kChanges{"gantry_sidecar_label_changes_total", MetricType::kCounter,
                              "Changes of the leader label of the pod"};
constexpr MetricSpec kInStep{"gantry_sidecar_label_in_step", MetricType::kGauge,
                             "1 while the pod's label says what is known of the broker"};
constexpr MetricSpec kEvents{"gantry_sidecar_events_total", MetricType::kCounter,
                             "Kubernetes Events about the pod, by what became of them"};

double now_seconds() { return static_cast<double>(system_clock().wall_ms()) / 1000; }

}  // namespace

BrokerMetrics::BrokerMetrics(metrics::Registry& registry)
    : leads_(registry.gauge(kLeads)),
      last_success_(registry.gauge(kLastSuccess, {{"of", "broker"}})) {
  for (const Seen seen : {Seen::kLeads, Seen::kFollows, Seen::kGone, Seen::kSilent}) {
    polls_.at(static_cast<std::size_t>(seen)) =
        registry.counter(kPolls, {{"result", std::string(to_string(seen))}});
  }
}

void BrokerMetrics::polled(Seen seen) {
  polls_.at(static_cast<std::size_t>(seen))->add();
  if (seen == Seen::kLeads || seen == Seen::kFollows) last_success_->set(now_seconds());
}

RequestMetrics::RequestMetrics(metrics::Registry& registry) : registry_(registry) {
  using enum kube::Failure;
  for (const auto failure : {kCredentials, kTls, kConnect, kAnswer, kStatus, kMalformed}) {
    errors_[failure] =
        registry.counter(kErrors, {{"failure", std::string(kube::to_string(failure))}});
  }
}

void RequestMetrics::attempted(const kube::Attempt& attempt) {
  auto& counter = requests_[{std::string(attempt.method), std::string(attempt.code)}];
  if (!counter) {
    counter = registry_.counter(
        kRequests, {{"verb", std::string(attempt.method)}, {"code", std::string(attempt.code)}});
  }
  counter->add();
}

void RequestMetrics::failed(kube::Failure failure) {
  const auto counter = errors_.find(failure);
  if (counter != errors_.end()) counter->second->add();
}

ApiMetrics::ApiMetrics(metrics::Registry& registry)
    : requests_(registry),
      set_(registry.counter(kChanges, {{"action", "set"}})),
      removed_(registry.counter(kChanges, {{"action", "removed"}})),
      in_step_(registry.gauge(kInStep)),
      last_success_(registry.gauge(kLastSuccess, {{"of", "api"}})) {}

void ApiMetrics::attempted(const kube::Attempt& attempt) {
  requests_.attempted(attempt);
  if (attempt.answered && attempt.code.starts_with('2')) last_success_->set(now_seconds());
}

EventMetrics::EventMetrics(metrics::Registry& registry)
    : requests_(registry),
      created_(registry.counter(kEvents, {{"result", "created"}})),
      counted_(registry.counter(kEvents, {{"result", "counted"}})),
      failed_(registry.counter(kEvents, {{"result", "failed"}})) {}

void EventMetrics::posted(kube::Events::Posted posted) {
  (posted == kube::Events::Posted::kCreated ? created_ : counted_)->add();
}

void EventMetrics::failed(kube::Failure failure) {
  failed_->add();
  requests_.failed(failure);
}

}  // namespace gantry::sidecar
