// SPDX-License-Identifier: Apache-2.0
// Pods of one namespace: what the sidecar reads of them and changes.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kube/api_client.h"

namespace gantry::kube {

struct Pod {
  std::string name{};
  std::string uid{};
  std::map<std::string, std::string> labels{};
  bool deleting = false;  // it has a deletion timestamp
};

// Only the fields above are looked at. Errors: not a pod.
Result<Pod> parse_pod(std::string_view json);

// Label to its new value; nothing: the label is removed.
using LabelChanges = std::map<std::string, std::optional<std::string>>;

// A merge patch that the server refuses (422, or 409) when the pod has another uid: one that took
// the name of a pod that is gone must not get the labels of that one.
std::string label_patch(std::string_view uid, const LabelChanges& changes);

// A name that Kubernetes accepts for pods and namespaces: lower-case letters, digits, '-' and '.'.
bool is_object_name(std::string_view text);

// Same thread as its client, which outlives it. Names must be object names.
class Pods {
 public:
  Pods(ApiClient& client, std::string name_space);

  ApiResult<Pod> get(const std::string& name, const std::stop_token& stop = {});
  // Returns the pod as it is after the change.
  ApiResult<Pod> change_labels(const std::string& name, const std::string& uid,
                               const LabelChanges& changes, const std::stop_token& stop = {});

 private:
  ApiResult<Pod> call(const ApiRequest& request, const std::stop_token& stop);

  ApiClient& client_;
  const std::string path_;
};

}  // namespace gantry::kube
