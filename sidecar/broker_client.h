// SPDX-License-Identifier: Apache-2.0
// What the sidecar asks the broker of its pod over HTTP. Blocks; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gantry::sidecar {

// What one question to the broker has shown.
enum class Seen : std::uint8_t {
  kLeads,    // it leads and may decide
  kFollows,  // it answers, and does not lead
  kGone,     // nobody listens there: the process is not there
  kSilent,   // no usable answer: nothing is known
};
std::string_view to_string(Seen seen);

struct LeadershipAnswer {
  Seen seen = Seen::kSilent;
  std::string state{};   // to wait for another one; empty unless it answered
  std::string detail{};  // why it is gone or silent, for people
};

struct MaintenanceAnswer {
  Seen seen = Seen::kSilent;
  bool finished = false;
  std::string obstacle{};  // why it still leads; empty: none known
  std::string detail{};
  int http_status = 0;  // 0: no answer
};

// A check of /readyz that has failed. `reason` is empty when the broker gives none.
struct FailedCheck {
  std::string name{};
  std::string reason{};   // one of base/not_ready.h
  std::string message{};  // for people
};

// Without an answer that can be used it is neither ready nor has anything failed.
struct ReadinessAnswer {
  bool ready = false;
  std::vector<FailedCheck> failed{};
};

class BrokerClient {
 public:
  explicit BrokerClient(std::string host_port) : host_port_(std::move(host_port)) {}

  // Answers at once, or, when `known` is its state, as soon as that changes, within `wait`.
  // `timeout` is for the whole answer.
  LeadershipAnswer leadership(const std::string& known, std::chrono::milliseconds wait,
                              std::chrono::milliseconds timeout) const;
  // "PUT" begins maintenance, "GET" looks at it.
  MaintenanceAnswer maintenance(const std::string& method, std::chrono::milliseconds timeout) const;
  ReadinessAnswer readiness(std::chrono::milliseconds timeout) const;
  // Voters of its broker set.
  Result<int> voters(std::chrono::milliseconds timeout) const;

 private:
  const std::string host_port_;
};

// Of the bodies; also for what is no such answer.
LeadershipAnswer parse_leadership(std::string_view body);
MaintenanceAnswer parse_maintenance(std::string_view body);
ReadinessAnswer parse_readiness(std::string_view body);

}  // namespace gantry::sidecar
