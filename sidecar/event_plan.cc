// SPDX-License-Identifier: Apache-2.0
#include "sidecar/event_plan.h"

#include <algorithm>

namespace gantry::sidecar {

void EventPlan::note(const ReadinessAnswer& answer, std::int64_t now_us) {
  ready_ = answer.ready;
  auto trouble = trouble_of(answer);
  if (trouble && !trouble_) since_us_ = now_us;
  trouble_ = std::move(trouble);
}

std::optional<kube::Event> EventPlan::due(std::int64_t now_us) const {
  if (now_us < not_before_us_) return std::nullopt;
  if (spent_until_us_ - now_us > (options_.burst - 1) * options_.interval_us) return std::nullopt;
  if (ready_ && !reported_.empty()) {
    return kube::Event{.type = kube::EventType::kNormal,
                       .reason = kBrokerReady,
                       .message = "The broker is ready again, after " + last_reason_ + "."};
  }
  if (!trouble_ || now_us - since_us_ < options_.delay_us) return std::nullopt;
  const auto before = reported_.find(trouble_->reason);
  if (before != reported_.end() && now_us - before->second < options_.interval_us) {
    return std::nullopt;
  }
  return kube::Event{
      .type = kube::EventType::kWarning, .reason = trouble_->reason, .message = trouble_->message};
}

void EventPlan::posted(const kube::Event& event, std::int64_t now_us) {
  spent_until_us_ = std::max(spent_until_us_, now_us) + options_.interval_us;
  if (event.type == kube::EventType::kNormal) {
    reported_.clear();
    return;
  }
  reported_[event.reason] = now_us;
  last_reason_ = event.reason;
}

}  // namespace gantry::sidecar
