// SPDX-License-Identifier: Apache-2.0
// The sidecar's metrics; docs/operations/metrics.md describes them. Each object belongs to the
// thread that writes it.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "kube/api_client.h"
#include "kube/events.h"
#include "metrics/metrics.h"
#include "sidecar/broker_client.h"

namespace gantry::sidecar {

class BrokerMetrics {
 public:
  explicit BrokerMetrics(metrics::Registry& registry);
  void polled(Seen seen);
  void leads(bool leads) { leads_->set(leads ? 1 : 0); }

 private:
  std::array<std::shared_ptr<metrics::Counter>, 4> polls_;  // by Seen
  std::shared_ptr<metrics::Gauge> leads_, last_success_;
};

// Requests to the Kubernetes API by one thread; those of all threads add up.
class RequestMetrics {
 public:
  explicit RequestMetrics(metrics::Registry& registry);
  void attempted(const kube::Attempt& attempt);
  void failed(kube::Failure failure);

 private:
  metrics::Registry& registry_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<metrics::Counter>> requests_;
  std::map<kube::Failure, std::shared_ptr<metrics::Counter>> errors_;
};

class ApiMetrics {
 public:
  explicit ApiMetrics(metrics::Registry& registry);
  void attempted(const kube::Attempt& attempt);
  void failed(kube::Failure failure) { requests_.failed(failure); }
  void changed(bool set) { (set ? set_ : removed_)->add(); }
  void in_step(bool in_step) { in_step_->set(in_step ? 1 : 0); }

 private:
  RequestMetrics requests_;
  std::shared_ptr<metrics::Counter> set_, removed_;
  std::shared_ptr<metrics::Gauge> in_step_, last_success_;
};

class EventMetrics {
 public:
  explicit EventMetrics(metrics::Registry& registry);
  void attempted(const kube::Attempt& attempt) { requests_.attempted(attempt); }
  void posted(kube::Events::Posted posted);
  void failed(kube::Failure failure);

 private:
  RequestMetrics requests_;
  std::shared_ptr<metrics::Counter> created_, counted_, failed_;
};

}  // namespace gantry::sidecar
