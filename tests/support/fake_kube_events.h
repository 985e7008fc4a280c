// SPDX-License-Identifier: Apache-2.0
// Events of a FakeApi: POST, which refuses a name that is there, and merge PATCH, as the real API
// server has them. Reading them is refused: a recorder needs no such right.
#pragma once

#include <httplib.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace gantry::kube::test {

class FakeEvents {
 public:
  using Json = nlohmann::json;
  static constexpr const char* kPath = "/api/v1/namespaces/shop/events";

  // False: the request is about something else.
  bool serve(const httplib::Request& request, httplib::Response& response) {
    if (!request.path.starts_with(kPath)) return false;
    const std::lock_guard lock(mutex_);
    requests_.push_back(request.method);
    if (refuse_ != 0) {
      fail(response, refuse_, "Refused");
    } else if (request.method == "POST" && request.path == kPath) {
      create(request, response);
    } else if (request.method == "PATCH") {
      patch(request, response);
    } else {
      fail(response, 403, "Forbidden");
    }
    changed_.notify_all();
    return true;
  }
  // Answers that status to everything; 0: serves.
  void refuse(int status) {
    const std::lock_guard lock(mutex_);
    refuse_ = status;
  }
  // As after an hour.
  void expire() {
    const std::lock_guard lock(mutex_);
    events_.clear();
  }
  // In the order of their making.
  std::vector<Json> all() const {
    const std::lock_guard lock(mutex_);
    return all_now();
  }
  // Verbs, whatever was answered.
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  bool wait_until(const std::function<bool(const std::vector<Json>&)>& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return condition(all_now()); });
  }
  bool wait_for_requests(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10),
                             [&] { return requests_.size() >= count; });
  }

 private:
  static void fail(httplib::Response& response, int status, const char* reason) {
    response.status = status;
    response.set_content(Json{{"kind", "Status"}, {"reason", reason}, {"code", status}}.dump(),
                         "application/json");
  }
  void create(const httplib::Request& request, httplib::Response& response) {
    const Json event = Json::parse(request.body);
    const std::string name = event["metadata"]["name"];
    for (const auto& [known, object] : events_) {
      if (known == name) return fail(response, 409, "AlreadyExists");
    }
    events_.emplace_back(name, event);
    response.status = 201;
    response.set_content(event.dump(), "application/json");
  }
  void patch(const httplib::Request& request, httplib::Response& response) {
    const std::string name = request.path.substr(request.path.rfind('/') + 1);
    for (auto& [known, object] : events_) {
      if (known != name) continue;
      object.merge_patch(Json::parse(request.body));
      response.set_content(object.dump(), "application/json");
      return;
    }
    fail(response, 404, "NotFound");
  }
  std::vector<Json> all_now() const {
    std::vector<Json> found;
    for (const auto& [name, object] : events_) found.push_back(object);
    return found;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::string, Json>> events_;
  std::vector<std::string> requests_;
  int refuse_ = 0;
};

}  // namespace gantry::kube::test
