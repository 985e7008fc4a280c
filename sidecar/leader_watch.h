// SPDX-License-Identifier: Apache-2.0
// A thread that asks the broker whether it leads, again and again, and tells when the judgement is
// another one. The broker holds the question until something changes (docs: /v1/leadership), so a
// change is known in milliseconds and an unchanged state costs two requests a second.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "metrics/metrics.h"
#include "sidecar/broker_client.h"
#include "sidecar/leader_judgement.h"
#include "sidecar/pulse.h"
#include "sidecar/sidecar_metrics.h"

namespace gantry::sidecar {

struct LeaderWatchOptions {
  std::chrono::milliseconds poll_interval{200};
  std::chrono::milliseconds broker_timeout{3000};
};

// One question to the broker and what became of it.
struct Question {
  std::string known{};  // the state that was waited for
  LeadershipAnswer answer{};
  std::chrono::milliseconds took{};
  int failures = 0;  // questions in a row without an answer, this one included
};

class LeaderWatch {
 public:
  // Called on the watching thread after each question, with what is known now.
  using Listener = std::function<void(std::optional<bool> leads)>;

  LeaderWatch(std::string host_port, LeaderWatchOptions options, metrics::Registry& registry,
              Listener listener);
  ~LeaderWatch() { stop(); }
  LeaderWatch(const LeaderWatch&) = delete;
  LeaderWatch& operator=(const LeaderWatch&) = delete;

  void start();
  void stop();  // idempotent; waits for a question under way
  const Pulse& pulse() const { return pulse_; }
  // The last thing that was seen, for people. Any thread.
  std::string last_seen() const;

 private:
  void run(const std::stop_token& stop);
  Question ask();
  void remember(const LeadershipAnswer& answer);

  const BrokerClient client_;
  const LeaderWatchOptions options_;
  const Listener listener_;
  BrokerMetrics metrics_;
  LeaderJudgement judgement_;
  std::string state_;  // the broker's, as it last answered
  int failures_ = 0;
  Pulse pulse_;
  mutable std::mutex mutex_;
  std::string last_seen_ = "not asked yet";  // guarded by mutex_
  std::jthread thread_;
};

// How long to leave the broker alone after that question.
std::chrono::milliseconds pause_after(const Question& question,
                                      std::chrono::milliseconds poll_interval);

}  // namespace gantry::sidecar
