// SPDX-License-Identifier: Apache-2.0
// Pods of a FakeApi: GET and merge PATCH of labels, with the uid as a precondition, as the real API
// server has it (422 when it is another one). Events about them are kept beside them.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/fake_kube_api.h"
#include "tests/support/fake_kube_events.h"

namespace gantry::sidecar::test {

inline constexpr const char* kLabel = "gantry.dev/leader";

class FakePods {
 public:
  using Json = nlohmann::json;

  explicit FakePods(kube::test::FakeApi& api) {
    api.answer([this](const httplib::Request& request, httplib::Response& response) {
      if (!events.serve(request, response)) serve(request, response);
    });
  }

  kube::test::FakeEvents events;

  void put(const std::string& name, const std::string& uid, Json labels = Json::object()) {
    const std::lock_guard lock(mutex_);
    pods_[name] = {{"metadata", {{"name", name}, {"uid", uid}, {"labels", std::move(labels)}}}};
    changed_.notify_all();
  }
  void remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    pods_.erase(name);
  }
  void begin_deletion(const std::string& name) {
    const std::lock_guard lock(mutex_);
    pods_[name]["metadata"]["deletionTimestamp"] = "2020-01-01T00:00:00Z";
  }
  // Answers that status to everything; 0: serves.
  void refuse(int status) {
    const std::lock_guard lock(mutex_);
    refuse_ = status;
  }
  std::optional<std::string> label(const std::string& name, const std::string& key = kLabel) const {
    const std::lock_guard lock(mutex_);
    return label_of(name, key);
  }
  // Requests in the order of their arrival: "GET b-0", "PATCH b-0".
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  // Waits for the label to have that value; nothing: to be away.
  bool wait_for_label(const std::string& name, const std::optional<std::string>& value) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10),
                             [&] { return label_of(name, kLabel) == value; });
  }
  bool wait_for_requests(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10),
                             [&] { return requests_.size() >= count; });
  }

 private:
  std::optional<std::string> label_of(const std::string& name, const std::string& key) const {
    const auto pod = pods_.find(name);
    if (pod == pods_.end() || !pod->second["metadata"]["labels"].contains(key)) return {};
    return pod->second["metadata"]["labels"][key].get<std::string>();
  }

  static void fail(httplib::Response& response, int status, const char* reason) {
    response.status = status;
    response.set_content(Json{{"kind", "Status"}, {"reason", reason}, {"code", status}}.dump(),
                         "application/json");
  }

  void serve(const httplib::Request& request, httplib::Response& response) {
    const std::lock_guard lock(mutex_);
    const std::string name = request.path.substr(request.path.rfind('/') + 1);
    requests_.push_back(request.method + " " + name);
    changed_.notify_all();
    if (refuse_ != 0) return fail(response, refuse_, "Refused");
    const auto pod = pods_.find(name);
    if (pod == pods_.end()) return fail(response, 404, "NotFound");
    if (request.method == "PATCH") {
      const Json patch = Json::parse(request.body);
      if (patch["metadata"]["uid"] != pod->second["metadata"]["uid"]) {
        return fail(response, 422, "Invalid");
      }
      pod->second.merge_patch(patch);
      changed_.notify_all();
    }
    response.set_content(pod->second.dump(), "application/json");
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable std::map<std::string, Json> pods_;
  std::vector<std::string> requests_;
  int refuse_ = 0;
};

}  // namespace gantry::sidecar::test
