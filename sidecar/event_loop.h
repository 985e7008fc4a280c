// SPDX-License-Identifier: Apache-2.0
// A thread that asks the broker for its readiness and posts Kubernetes Events about the own pod.
// Nothing waits for it and nothing depends on it: what it cannot post is logged once, counted and
// tried again later.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "kube/api_client.h"
#include "kube/events.h"
#include "metrics/metrics.h"
#include "sidecar/broker_client.h"
#include "sidecar/event_plan.h"
#include "sidecar/sidecar_metrics.h"

namespace gantry::sidecar {

struct EventLoopOptions {
  std::chrono::milliseconds delay{30'000};      // that a condition has to last
  std::chrono::milliseconds interval{300'000};  // between two counts of the same condition
};

class EventLoop {
 public:
  // `uid` is asked on this thread, for the pod's uid; empty: not known, or not ours any more, and
  // nothing is posted.
  EventLoop(kube::ApiClient client, BrokerClient broker, kube::PodReference pod,
            std::function<std::string()> uid, EventLoopOptions options,
            metrics::Registry& registry);
  ~EventLoop() { stop(); }
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void start();
  void request_stop() { thread_.request_stop(); }
  void stop();  // idempotent; waits for a request under way

 private:
  void run(const std::stop_token& stop);
  void post(const kube::Event& event, const std::stop_token& stop);

  kube::ApiClient client_;
  const BrokerClient broker_;
  kube::PodReference pod_;
  const std::function<std::string()> uid_;
  const std::chrono::milliseconds poll_interval_;
  kube::Events events_;
  EventPlan plan_;
  EventMetrics metrics_;
  std::string obstacle_;  // that was logged last
  std::jthread thread_;
};

}  // namespace gantry::sidecar
