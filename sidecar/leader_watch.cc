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
constexpr int kQuickFailures = 4;

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

milliseconds pause_after(const Question& question, milliseconds poll_interval) {
  // A connection broke: what is behind it is known soon. The port of a process that dies may take
  // another connection before it is closed.
  if (question.failures == 1) return milliseconds(0);
  if (question.failures > 0) {
    return question.failures <= kQuickFailures ? poll_interval / 8 : poll_interval;
  }
  // News, or a question that was held: the next one is held, too.
  const bool can_wait = !question.answer.state.empty();
  const bool news = question.answer.state != question.known;
  return can_wait && (news || question.took >= kWait / 2) ? milliseconds(0) : poll_interval;
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
    const Question question = ask();
    const Seen seen = question.answer.seen;
    const std::int64_t now = system_clock().steady_us();
    judgement_.note(seen, now);
    metrics_.polled(seen);
    remember(question.answer);
    const std::optional<bool> leads = judgement_.leads(now);
    metrics_.leads(leads.value_or(false));
    listener_(leads);
    pulse_.rest();
    if (!pause(pause_after(question, options_.poll_interval), stop)) return;
  }
}

// A silent broker is asked so that the answer, or none, is there when patience ends.
Question LeaderWatch::ask() {
  Question question{.known = state_};
  const milliseconds wait = state_.empty() ? milliseconds(0) : kWait;
  milliseconds timeout = wait + kAnswer;
  const std::int64_t began = system_clock().steady_us();
  const std::int64_t patience_us = judgement_.patience_us(began);
  if (patience_us > 0) {
    const auto patience = std::chrono::duration_cast<milliseconds>(microseconds(patience_us));
    timeout = std::clamp(patience + milliseconds(1), kAskAtLeast, timeout);
  }
  question.answer = client_.leadership(state_, std::min(wait, timeout / 2), timeout);
  question.took =
      std::chrono::duration_cast<milliseconds>(microseconds(system_clock().steady_us() - began));
  failures_ = answered(question.answer.seen) ? 0 : failures_ + 1;
  question.failures = failures_;
  state_ = question.answer.state;
  return question;
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
