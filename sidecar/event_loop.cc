// SPDX-License-Identifier: Apache-2.0
#include "sidecar/event_loop.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "log/log.h"

namespace gantry::sidecar {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Logger kLog("sidecar");
constexpr const char* kReporter = "gantry-sidecar";
constexpr milliseconds kPollInterval{2000};
// A broker whose event loop hangs answers after ten seconds. Longer than that, so that no second
// question holds another of its HTTP threads.
constexpr milliseconds kAnswerTimeout{12'000};
constexpr milliseconds kAgainAfterFailure{15'000};

EventPlanOptions plan_options(const EventLoopOptions& options) {
  return {.delay_us = microseconds(options.delay).count(),
          .interval_us = microseconds(options.interval).count(),
          .retry_us = microseconds(std::min(kAgainAfterFailure, options.interval)).count()};
}

// False: `stop` came first.
bool pause(milliseconds delay, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_for(lock, stop, delay, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

EventLoop::EventLoop(kube::ApiClient client, BrokerClient broker, kube::PodReference pod,
                     std::function<std::string()> uid, EventLoopOptions options,
                     metrics::Registry& registry)
    : client_(std::move(client)),
      broker_(std::move(broker)),
      pod_(std::move(pod)),
      uid_(std::move(uid)),
      poll_interval_(std::clamp(options.delay / 4, milliseconds(10), kPollInterval)),
      events_(client_, pod_.name_space, kReporter),
      plan_(plan_options(options)),
      metrics_(registry) {
  client_.observe([this](const kube::Attempt& attempt) { metrics_.attempted(attempt); });
}

void EventLoop::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void EventLoop::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void EventLoop::run(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "events");
  do {
    const ReadinessAnswer answer = broker_.readiness(kAnswerTimeout);
    const std::int64_t now_us = system_clock().steady_us();
    plan_.note(answer, now_us);
    if (const auto event = plan_.due(now_us)) post(*event, stop);
  } while (pause(poll_interval_, stop));
}

void EventLoop::post(const kube::Event& event, const std::stop_token& stop) {
  pod_.uid = uid_();
  if (pod_.uid.empty()) return;  // the label's thread says why
  const auto posted = events_.post(pod_, event, system_clock().wall_ms(), stop);
  const std::int64_t now_us = system_clock().steady_us();
  if (posted) {
    plan_.posted(event, now_us);
    metrics_.posted(*posted);
    if (*posted == kube::Events::Posted::kCreated) {
      kLog.info("posted an Event type={} reason={}", kube::to_string(event.type), event.reason);
    }
    obstacle_.clear();
    return;
  }
  plan_.failed(now_us);
  if (posted.error().failure == kube::Failure::kStopped) return;
  metrics_.failed(posted.error().failure);
  std::string obstacle = posted.error().describe();
  if (std::exchange(obstacle_, obstacle) == obstacle) return;
  kLog.warn("the Event {} cannot be posted: {}", event.reason, obstacle);
}

}  // namespace gantry::sidecar
