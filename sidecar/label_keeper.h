// SPDX-License-Identifier: Apache-2.0
// Brings the leader label of one pod to what it has to be, one step at a time. The pod is read only
// when nothing is known of it or when asked to; otherwise only changes cost a request. Belongs to
// one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "kube/pods.h"

namespace gantry::sidecar {

inline constexpr const char* kLeaderValue = "true";

struct PodIdentity {
  std::string name;
  std::string uid;  // empty: that of the first pod of that name that is seen
};

enum class StepResult : std::uint8_t {
  kInStep,   // the label is what it has to be
  kUnknown,  // the pod is known, what it has to be is not
  kFailed,   // not known or not changed; `error` says why
  kLost,     // the pod is gone, or another one has its name: there is nothing to keep
};

struct Step {
  StepResult result = StepResult::kFailed;
  std::optional<bool> changed{};  // the label has been: true set, false removed
  std::optional<kube::ApiError> error{};
  std::string obstacle{};  // why it is not in step, for people; empty: it is
};

class LabelKeeper {
 public:
  LabelKeeper(kube::Pods pods, PodIdentity identity, std::string label);

  // `look`: read the pod first, whatever is known. `stop` ends pauses between attempts.
  Step step(std::optional<bool> leads, bool look, const std::stop_token& stop = {});

  // As last seen; nothing: not known.
  const std::optional<kube::Pod>& pod() const { return pod_; }
  const std::string& uid() const { return identity_.uid; }

 private:
  std::optional<Step> look_at_pod(const std::stop_token& stop);
  Step fail(kube::ApiError error);
  bool as_wanted(bool leads) const;

  kube::Pods pods_;
  PodIdentity identity_;
  const std::string label_;
  std::optional<kube::Pod> pod_;
};

}  // namespace gantry::sidecar
