// SPDX-License-Identifier: Apache-2.0
#include "kube/pods.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace gantry::kube {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kNameMax = 253;

Error not_a_pod(std::string_view what) {
  return {ErrorCode::kCorrupt, "the answer is not a pod: " + std::string(what)};
}

}  // namespace

Result<Pod> parse_pod(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::unexpected(not_a_pod("expected a JSON object"));
  const auto metadata = json.find("metadata");
  if (metadata == json.end() || !metadata->is_object()) {
    return std::unexpected(not_a_pod("metadata is missing"));
  }
  const auto text_of = [&](const char* key) {
    const auto found = metadata->find(key);
    return found != metadata->end() && found->is_string() ? found->get<std::string>()
                                                          : std::string();
  };
  Pod pod{.name = text_of("name"),
          .uid = text_of("uid"),
          .deleting = !text_of("deletionTimestamp").empty()};
  if (pod.name.empty() || pod.uid.empty()) {
    return std::unexpected(not_a_pod("metadata.name or metadata.uid is missing"));
  }
  const auto labels = metadata->find("labels");
  if (labels == metadata->end() || !labels->is_object()) return pod;
  for (const auto& [key, value] : labels->items()) {
    if (value.is_string()) pod.labels.emplace(key, value.get<std::string>());
  }
  return pod;
}

std::string label_patch(std::string_view uid, const LabelChanges& changes) {
  Json labels = Json::object();
  for (const auto& [key, value] : changes) labels[key] = value ? Json(*value) : Json(nullptr);
  return Json{{"metadata", {{"uid", uid}, {"labels", std::move(labels)}}}}.dump();
}

bool is_object_name(std::string_view text) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= kNameMax && is_plain(text.front()) &&
         is_plain(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return is_plain(c) || c == '-' || c == '.'; });
}

Pods::Pods(ApiClient& client, std::string name_space)
    : client_(client), path_("/api/v1/namespaces/" + std::move(name_space) + "/pods/") {}

ApiResult<Pod> Pods::get(const std::string& name, const std::stop_token& stop) {
  return call({.method = "GET", .path = path_ + name}, stop);
}

ApiResult<Pod> Pods::change_labels(const std::string& name, const std::string& uid,
                                   const LabelChanges& changes, const std::stop_token& stop) {
  return call({.method = "PATCH",
               .path = path_ + name,
               .body = label_patch(uid, changes),
               .content_type = "application/merge-patch+json"},
              stop);
}

ApiResult<Pod> Pods::call(const ApiRequest& request, const std::stop_token& stop) {
  const auto body = client_.call(request, stop);
  if (!body) return std::unexpected(body.error());
  auto pod = parse_pod(*body);
  if (pod) return *std::move(pod);
  return std::unexpected(ApiError{.failure = Failure::kMalformed,
                                  .method = request.method,
                                  .path = request.path,
                                  .status = {.message = std::move(pod).error().message}});
}

}  // namespace gantry::kube
