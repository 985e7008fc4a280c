// SPDX-License-Identifier: Apache-2.0
// When which Event is posted, from what the broker has said of its readiness. Pure; times are of a
// steady clock. Belongs to one thread.
//
// A condition is reported when it has lasted for `delay`, then at most once in `interval`, and each
// reason for itself: texts that change from one answer to the next make no more Events. When the
// broker is ready after that, one Normal Event ends it. A broker that goes to and fro is held to
// `burst` Events and one more in each interval, as client-go's recorder does.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "kube/events.h"
#include "sidecar/trouble.h"

namespace gantry::sidecar {

struct EventPlanOptions {
  std::int64_t delay_us = 30'000'000;
  std::int64_t interval_us = 300'000'000;
  std::int64_t retry_us = 15'000'000;  // after an Event that could not be posted
  int burst = 10;
};

class EventPlan {
 public:
  explicit EventPlan(EventPlanOptions options) : options_(options) {}

  // What the broker has just said.
  void note(const ReadinessAnswer& answer, std::int64_t now_us);
  // What has to be posted now; nothing: nothing. Say then what became of it.
  std::optional<kube::Event> due(std::int64_t now_us) const;
  void posted(const kube::Event& event, std::int64_t now_us);
  void failed(std::int64_t now_us) { not_before_us_ = now_us + options_.retry_us; }

 private:
  const EventPlanOptions options_;
  std::optional<Trouble> trouble_;
  std::int64_t since_us_ = 0;                     // there has been some trouble
  bool ready_ = false;                            // it was, the last time
  std::map<std::string, std::int64_t> reported_;  // reason -> when, since it was last ready
  std::string last_reason_;                       // of the last Warning
  std::int64_t not_before_us_ = 0;                // because of a failure
  std::int64_t spent_until_us_ = 0;               // posts move it an interval ahead
};

}  // namespace gantry::sidecar
