// SPDX-License-Identifier: Apache-2.0
#include "sidecar/leader_watch.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <utility>

#include "base/clock.h"
#include "log/log.h"

namespace gantry::sidecar {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Logger kLog("sidecar");
constexpr milliseconds kWait{500};     // how long the broker may hold a question
constexpr milliseconds kAnswer{1000};  // how long it may take on top of that
constexpr milliseconds kAskAtLeast{50};

// False: `stop` came first.
bool pause(milliseconds delay, const std::stop_token& stop) {
  if (delay.count() == 0) return !stop.stop_requested();
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_for(lock, stop, delay, [] { return false; });
  return !stop.stop_requested();
}

bool answered(Seen seen) { return seen == Seen::kLeads || seen == Seen::kFollows; }

}  // namespace

milliseconds pause_after(const LeadershipAnswer& answer, const std::string& known_before,
                         milliseconds took, milliseconds poll_interval) {
  // The connection of a question broke: what is behind it is known at once.
  if (!answered(answer.seen)) return known_before.empty() ? poll_interval : milliseconds(0);
  // News, or a question that was held: the next one is held, too.
  if (answer.state != known_before || answer.state.empty()) {
    return answer.state.empty() ? poll_interval : milliseconds(0);
  }
  return took >= kWait / 2 ? milliseconds(0) : poll_interval;
}

LeaderWatch::LeaderWatch(std::string host_port, LeaderWatchOptions options,
                         metrics::Registry& registry, Listener listener)
    : client_(std::move(host_port)),
      options_(options),
      listener_(std::move(listener)),
      metrics_(registry),
      judgement_(microseconds(options.broker_timeout).count(), system_clock().steady_us()) {}

void LeaderWatch::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void LeaderWatch::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void LeaderWatch::run(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "leader-watch");
  for (;;) {
    pulse_.beat();
    const std::string known = state_;
    const std::int64_t began = system_clock().steady_us();
    const LeadershipAnswer answer = ask(!known.empty());
    const std::int64_t now = system_clock().steady_us();
    judgement_.note(answer.seen, now);
    metrics_.polled(answer.seen);
    remember(answer);
    state_ = answer.state;
    const std::optional<bool> leads = judgement_.leads(now);
    metrics_.leads(leads.value_or(false));
    listener_(leads);
    const auto took = std::chrono::duration_cast<milliseconds>(microseconds(now - began));
    pulse_.rest();
    if (!pause(pause_after(answer, known, took, options_.poll_interval), stop)) return;
  }
}

// A silent broker is asked so that the answer, or none, is there when patience ends.
LeadershipAnswer LeaderWatch::ask(bool answering) {
  const milliseconds wait = answering ? kWait : milliseconds(0);
  milliseconds timeout = wait + kAnswer;
  const std::int64_t patience_us = judgement_.patience_us(system_clock().steady_us());
  if (patience_us > 0) {
    const auto patience = std::chrono::duration_cast<milliseconds>(microseconds(patience_us));
    timeout = std::clamp(patience + milliseconds(1), kAskAtLeast, timeout);
  }
  return client_.leadership(state_, std::min(wait, timeout / 2), timeout);
}

void LeaderWatch::remember(const LeadershipAnswer& answer) {
  std::string seen(to_string(answer.seen));
  if (!answer.detail.empty()) seen += ": " + answer.detail;
  const std::lock_guard lock(mutex_);
  if (seen == last_seen_) return;
  if (answered(answer.seen)) {
    kLog.info("the broker {}", seen);
  } else {
    kLog.warn("the broker is {}", seen);
  }
  last_seen_ = std::move(seen);
}

std::string LeaderWatch::last_seen() const {
  const std::lock_guard lock(mutex_);
  return last_seen_;
}

}  // namespace gantry::sidecar
