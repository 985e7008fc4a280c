// SPDX-License-Identifier: Apache-2.0
#include "sidecar/label_keeper.h"

#include <utility>

namespace gantry::sidecar {

LabelKeeper::LabelKeeper(kube::Pods pods, PodIdentity identity, std::string label)
    : pods_(std::move(pods)), identity_(std::move(identity)), label_(std::move(label)) {}

Step LabelKeeper::step(std::optional<bool> leads, bool look, const std::stop_token& stop) {
  if (look || !pod_) {
    if (auto end = look_at_pod(stop)) return *std::move(end);
  }
  if (!leads) {
    return {.result = StepResult::kUnknown,
            .obstacle = "whether the broker leads is not known yet"};
  }
  if (as_wanted(*leads)) return {.result = StepResult::kInStep};
  const kube::LabelChanges changes{
      {label_, *leads ? std::optional<std::string>(kLeaderValue) : std::nullopt}};
  auto changed = pods_.change_labels(identity_.name, identity_.uid, changes, stop);
  if (!changed) return fail(std::move(changed).error());
  pod_ = *std::move(changed);
  if (as_wanted(*leads)) return {.result = StepResult::kInStep, .changed = *leads};
  pod_.reset();
  return {.result = StepResult::kFailed,
          .obstacle = "the API server has taken the change of " + label_ +
                      ", but the pod does not show it"};
}

std::optional<Step> LabelKeeper::look_at_pod(const std::stop_token& stop) {
  auto found = pods_.get(identity_.name, stop);
  if (!found) return fail(std::move(found).error());
  if (identity_.uid.empty()) identity_.uid = found->uid;
  if (found->uid != identity_.uid) {
    pod_.reset();
    return Step{.result = StepResult::kLost,
                .obstacle = "the name " + identity_.name + " belongs to another pod now, uid " +
                            found->uid + " instead of " + identity_.uid};
  }
  pod_ = *std::move(found);
  return std::nullopt;
}

Step LabelKeeper::fail(kube::ApiError error) {
  // What the request was about is not what was known of it.
  if (error.is_conflict() || error.is_status(404)) pod_.reset();
  Step step{.result = error.is_status(404) ? StepResult::kLost : StepResult::kFailed,
            .obstacle = error.describe()};
  step.error = std::move(error);
  return step;
}

bool LabelKeeper::as_wanted(bool leads) const {
  const auto label = pod_->labels.find(label_);
  return leads ? label != pod_->labels.end() && label->second == kLeaderValue
               : label == pod_->labels.end();
}

}  // namespace gantry::sidecar
