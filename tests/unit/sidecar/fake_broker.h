// SPDX-License-Identifier: Apache-2.0
// The HTTP side of a broker, as far as the sidecar asks it.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "http/http_server.h"

namespace gantry::sidecar::test {

class FakeBroker {
 public:
  using Json = nlohmann::json;

  explicit FakeBroker(int port = 0) : server_(http::HttpServerOptions{.threads = 6}) {
    server_.get("/v1/leadership", [this](const http::Request& request) { return lead(request); });
    server_.get("/readyz", [this](const http::Request&) { return readiness(); });
    server_.put("/v1/maintenance", [this](const http::Request&) {
      if (on_maintenance) on_maintenance();
      return maintenance();
    });
    server_.get("/v1/maintenance", [this](const http::Request&) { return maintenance(); });
    server_.get("/v1/members", [this](const http::Request&) {
      Json body{{"members", Json::array()}};
      for (int i = 0; i < voters; ++i) body["members"].push_back({{"voter", true}});
      body["members"].push_back({{"voter", false}});
      return http::Response{.body = body.dump()};
    });
    const auto listening = server_.listen("127.0.0.1", port);
    EXPECT_TRUE(listening) << listening.error().message;
    port_ = listening.value_or(0);
  }
  ~FakeBroker() { stop(); }

  void stop() {
    answer_all_with(0);
    server_.stop();
  }
  void leads(bool leading) {
    const std::lock_guard lock(mutex_);
    if (leading_ == leading) return;
    leading_ = leading;
    ++term_;
    changed_.notify_all();
  }
  // The check "namesrv" fails with that reason and message; without a reason the broker is ready.
  void is_not_ready(const std::string& reason, const std::string& message = "it says why") {
    const std::lock_guard lock(mutex_);
    unready_reason_ = reason;
    unready_message_ = message;
  }
  int readiness_questions() const {
    const std::lock_guard lock(mutex_);
    return readiness_questions_;
  }
  // Waits until the readiness has been asked for that many times.
  bool wait_for_readiness_questions(int count) {
    Lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10),
                             [&] { return readiness_questions_ >= count; });
  }
  // Holds every answer from now on.
  void hang() { answer_all_with(kHang); }
  // Answers everything with that status; 0: serves.
  void answer_all_with(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
    changed_.notify_all();
  }
  int port() const { return port_; }
  std::string host_port() const { return "127.0.0.1:" + std::to_string(port_); }
  int questions() const {
    const std::lock_guard lock(mutex_);
    return questions_;
  }

  // Set before the first request.
  std::function<void()> on_maintenance;
  int voters = 3;
  std::string obstacle;
  bool lets_wait = true;  // false: answers questions with `known` at once

 private:
  static constexpr int kHang = -1;
  using Lock = std::unique_lock<std::mutex>;

  // True: `response` is the answer.
  bool refuse(Lock& lock, http::Response& response) {
    changed_.wait(lock, [&] { return status_ != kHang; });
    if (status_ == 0) return false;
    response = {.status = status_, .body = R"({"error":"not now"})"};
    return true;
  }
  std::string state() const { return std::to_string(term_) + (leading_ ? "-leads" : "-follows"); }

  http::Response lead(const http::Request& request) {
    Lock lock(mutex_);
    ++questions_;
    http::Response response;
    const auto known = request.query.find("known");
    if (known != request.query.end() && lets_wait) {
      const std::chrono::milliseconds wait(std::stoi(request.query.find("waitMillis")->second));
      changed_.wait_for(lock, wait, [&] { return status_ != 0 || state() != known->second; });
    }
    if (refuse(lock, response)) return response;
    response.body = Json{{"leading", leading_}, {"term", term_}, {"state", state()}}.dump();
    return response;
  }
  http::Response readiness() {
    Lock lock(mutex_);
    http::Response response;
    if (refuse(lock, response)) return response;
    ++readiness_questions_;
    changed_.notify_all();
    const bool ready = unready_reason_.empty();
    Json check{{"name", "namesrv"}, {"healthy", ready}};
    if (!ready) check.update({{"reason", unready_reason_}, {"message", unready_message_}});
    response.status = ready ? 200 : 503;
    response.body = Json{{"healthy", ready}, {"checks", Json::array({check})}}.dump();
    return response;
  }
  http::Response maintenance() {
    Lock lock(mutex_);
    http::Response response;
    if (refuse(lock, response)) return response;
    response.body = Json{{"draining", true},
                         {"leading", leading_},
                         {"finished", !leading_ || !obstacle.empty()},
                         {"obstacle", leading_ ? obstacle : ""}}
                        .dump();
    return response;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool leading_ = false;
  int term_ = 1, status_ = 0, questions_ = 0;
  int readiness_questions_ = 0;
  std::string unready_reason_, unready_message_;
  int port_ = 0;
  http::HttpServer server_;
};

}  // namespace gantry::sidecar::test
