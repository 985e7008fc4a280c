// SPDX-License-Identifier: Apache-2.0
#include "broker/http/leadership_http.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace gantry::broker {
namespace {

constexpr int kWaitMillisMax = 10'000;
constexpr std::chrono::milliseconds kLoopTimeout{1000};

http::Response error(int status, std::string_view message) {
  return {status, "application/json", nlohmann::json{{"error", message}}.dump(), {}};
}

std::optional<int> parse_wait(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size();
  return good && value >= 0 && value <= kWaitMillisMax ? std::optional(value) : std::nullopt;
}

}  // namespace

LeadershipHttp::LeadershipHttp(runtime::Shard& shard, http::HttpServer& server) : shard_(shard) {
  server.get("/v1/leadership", [this](const http::Request& request) { return answer(request); });
}

LeadershipHttp::~LeadershipHttp() { close(); }

void LeadershipHttp::attach(Storage& storage) {
  storage_ = &storage;
  storage.add_role_observer(*this);
  publish();
}

void LeadershipHttp::detach() {
  if (storage_ == nullptr) return;
  std::exchange(storage_, nullptr)->remove_role_observer(*this);
  Leadership gone = board_.now();
  gone.leading = false;
  gone.leader.clear();
  board_.publish(std::move(gone));
}

void LeadershipHttp::publish() {
  const raft::Core& core = storage_->replica().core();
  board_.publish({.leading = storage_->leading(), .term = core.term().v, .leader = core.leader()});
}

http::Response LeadershipHttp::answer(const http::Request& request) {
  const auto known = request.query.find("known");
  const auto wait = request.query.find("waitMillis");
  const auto wait_ms = wait == request.query.end() ? std::optional(0) : parse_wait(wait->second);
  if (!wait_ms) {
    return error(400,
                 "waitMillis: expected a whole number from 0 to " + std::to_string(kWaitMillisMax));
  }
  Leadership now = known == request.query.end()
                       ? board_.now()
                       : board_.wait(known->second, std::chrono::milliseconds(*wait_ms));
  if (now.leading && !shard_.call([] {}, kLoopTimeout)) {
    now = board_.now();
    if (now.leading) return error(503, "the event loop does not answer");
  }
  return {200,
          "application/json",
          nlohmann::json{{"leading", now.leading},
                         {"term", now.term},
                         {"leader", now.leader},
                         {"state", now.state()}}
              .dump(),
          {}};
}

}  // namespace gantry::broker
