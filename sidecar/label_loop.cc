// SPDX-License-Identifier: Apache-2.0
#include "sidecar/label_loop.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "kube/retry.h"
#include "log/log.h"

namespace gantry::sidecar {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Logger kLog("sidecar");
// After a request that has failed in spite of its attempts. Soon enough for the label to follow
// when the API server is back.
constexpr kube::RetryPolicy kAgain{.first_delay = milliseconds(200),
                                   .delay_max = milliseconds(3000)};
// What does not pass by itself (rights, certificates) is tried at this pace.
constexpr milliseconds kAgainAfterRefusal{15'000};

bool passes_by_itself(const Step& step) {
  if (!step.error) return true;
  switch (step.error->failure) {
    case kube::Failure::kConnect:
    case kube::Failure::kAnswer:
    case kube::Failure::kStopped:
      return true;
    case kube::Failure::kStatus:
      return step.error->http_status >= 500 || step.error->http_status == 429 ||
             step.error->is_conflict();
    case kube::Failure::kCredentials:
    case kube::Failure::kTls:
    case kube::Failure::kMalformed:
      return false;
  }
  return false;
}

}  // namespace

LabelLoop::LabelLoop(kube::ApiClient client, const std::string& name_space, PodIdentity identity,
                     std::string label, milliseconds check_interval, metrics::Registry& registry)
    : client_(std::move(client)),
      metrics_(registry),
      keeper_(kube::Pods(client_, name_space), std::move(identity), std::move(label)),
      check_interval_(check_interval) {
  client_.observe([this](const kube::Attempt& attempt) {
    pulse_.beat();
    metrics_.attempted(attempt);
  });
}

void LabelLoop::start() {
  thread_ = std::thread([this] { run(); });
}

void LabelLoop::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake();
  }
  thread_.join();
}

void LabelLoop::want(std::optional<bool> leads) {
  const std::lock_guard lock(mutex_);
  if (status_.leads == leads) return;
  status_.leads = leads;
  status_.in_step = false;
  wake();
}

void LabelLoop::look_now() {
  const std::lock_guard lock(mutex_);
  look_ = true;
  wake();
}

// Under the mutex. A step under way ends its pauses: it is about something older.
void LabelLoop::wake() {
  woken_ = true;
  newer_.request_stop();
  changed_.notify_all();
}

LabelStatus LabelLoop::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

bool LabelLoop::wait_until(const std::function<bool(const LabelStatus&)>& condition,
                           milliseconds timeout) {
  Lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return condition(status_); });
}

void LabelLoop::run() {
  pthread_setname_np(pthread_self(), "leader-label");
  Lock lock(mutex_);
  while (!stopping_) take_step(lock);
}

void LabelLoop::take_step(Lock& lock) {
  newer_ = std::stop_source();
  woken_ = false;
  const auto leads = status_.leads;
  const std::int64_t now = system_clock().steady_us();
  const bool look = std::exchange(look_, false) || now >= look_at_us_;
  const std::stop_token stop = newer_.get_token();
  lock.unlock();

  pulse_.beat();
  const Step step = keeper_.step(leads, look, stop);
  pulse_.rest();
  const bool looked = look && keeper_.pod().has_value();
  if (look && (looked || step.result == StepResult::kLost)) {
    look_at_us_ = now + microseconds(check_interval_).count();
  }
  report(step);
  const milliseconds pause = next_pause(step);

  lock.lock();
  // What was asked for in vain is still asked for.
  if (look && !looked && step.result == StepResult::kFailed) look_ = true;
  if (looked) ++status_.looks;
  status_.in_step = step.result == StepResult::kInStep && status_.leads == leads;
  status_.lost = step.result == StepResult::kLost;
  if (keeper_.pod()) status_.deleting = keeper_.pod()->deleting;
  status_.uid = keeper_.uid();
  status_.obstacle = step.obstacle;
  metrics_.in_step(status_.in_step);
  changed_.notify_all();
  changed_.wait_for(lock, pause, [this] { return woken_ || stopping_; });
}

milliseconds LabelLoop::next_pause(const Step& step) {
  if (step.result != StepResult::kFailed) {
    failures_ = 0;
    const std::int64_t left_us = look_at_us_ - system_clock().steady_us();
    return std::max(milliseconds(0), milliseconds((left_us + 999) / 1000));
  }
  ++failures_;
  if (!passes_by_itself(step)) return kAgainAfterRefusal;
  return kube::backoff(kAgain, failures_, std::uniform_real_distribution(0.0, 1.0)(random_));
}

void LabelLoop::report(const Step& step) {
  if (step.error && step.error->failure == kube::Failure::kStopped) return;
  if (step.error) metrics_.failed(step.error->failure);
  if (step.changed) {
    metrics_.changed(*step.changed);
    kLog.info("leader label {}", *step.changed ? "set" : "removed");
  }
  if (std::exchange(reported_, step.obstacle) == step.obstacle) return;
  if (step.obstacle.empty()) {
    kLog.info("the leader label is in step with the broker");
  } else if (step.result == StepResult::kUnknown) {
    kLog.info("{}", step.obstacle);
  } else {
    kLog.warn("the leader label cannot be kept: {}", step.obstacle);
  }
}

}  // namespace gantry::sidecar
