// SPDX-License-Identifier: Apache-2.0
#include "sidecar/broker_client.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "http/http_client.h"

namespace gantry::sidecar {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr std::size_t kTextMax = 200;

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_true(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

// What failed, without an answer that can be used.
std::pair<Seen, std::string> failure_of(const Result<http::Response>& answer) {
  if (!answer) {
    const bool gone = answer.error().code == ErrorCode::kUnavailable;
    return {gone ? Seen::kGone : Seen::kSilent, answer.error().message};
  }
  std::string message;
  const Json json = Json::parse(answer->body, nullptr, false);
  if (json.is_object()) message = text_of(json, "error");
  if (message.empty()) message = answer->body.substr(0, kTextMax);
  return {Seen::kSilent,
          "the broker answers " + std::to_string(answer->status) + " (" + message + ")"};
}

}  // namespace

std::string_view to_string(Seen seen) {
  switch (seen) {
    case Seen::kLeads:
      return "leads";
    case Seen::kFollows:
      return "follows";
    case Seen::kGone:
      return "gone";
    case Seen::kSilent:
      return "silent";
  }
  return "unknown";
}

LeadershipAnswer parse_leadership(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  const bool good = json.is_object() && json.contains("leading") && json["leading"].is_boolean();
  if (!good) return {.detail = "the broker's answer has no field leading"};
  return {.seen = json["leading"].get<bool>() ? Seen::kLeads : Seen::kFollows,
          .state = text_of(json, "state")};
}

MaintenanceAnswer parse_maintenance(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  const bool good = json.is_object() && json.contains("leading") && json["leading"].is_boolean();
  if (!good) return {.detail = "the broker's answer has no field leading"};
  return {.seen = json["leading"].get<bool>() ? Seen::kLeads : Seen::kFollows,
          .finished = is_true(json, "finished"),
          .obstacle = text_of(json, "obstacle")};
}

ReadinessAnswer parse_readiness(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("checks") || !json["checks"].is_array()) return {};
  ReadinessAnswer answer{.ready = is_true(json, "healthy")};
  for (const Json& check : json["checks"]) {
    if (!check.is_object() || is_true(check, "healthy")) continue;
    answer.failed.push_back({.name = text_of(check, "name"),
                             .reason = text_of(check, "reason"),
                             .message = text_of(check, "message")});
  }
  return answer;
}

LeadershipAnswer BrokerClient::leadership(const std::string& known, milliseconds wait,
                                          milliseconds timeout) const {
  std::string path = "/v1/leadership";
  if (!known.empty()) path += "?known=" + known + "&waitMillis=" + std::to_string(wait.count());
  const auto answer = http::send({.host_port = host_port_, .path = path, .timeout = timeout});
  if (answer && answer->status == 200) return parse_leadership(answer->body);
  auto [seen, detail] = failure_of(answer);
  return {.seen = seen, .detail = std::move(detail)};
}

MaintenanceAnswer BrokerClient::maintenance(const std::string& method, milliseconds timeout) const {
  const auto answer = http::send(
      {.method = method, .host_port = host_port_, .path = "/v1/maintenance", .timeout = timeout});
  MaintenanceAnswer parsed;
  if (answer && answer->status == 200) {
    parsed = parse_maintenance(answer->body);
  } else {
    std::tie(parsed.seen, parsed.detail) = failure_of(answer);
  }
  parsed.http_status = answer ? answer->status : 0;
  return parsed;
}

ReadinessAnswer BrokerClient::readiness(milliseconds timeout) const {
  const auto answer =
      http::send({.host_port = host_port_, .path = "/readyz?format=json", .timeout = timeout});
  if (!answer || (answer->status != 200 && answer->status != 503)) return {};
  return parse_readiness(answer->body);
}

Result<int> BrokerClient::voters(milliseconds timeout) const {
  const auto answer =
      http::send({.host_port = host_port_, .path = "/v1/members", .timeout = timeout});
  if (!answer) return std::unexpected(answer.error());
  const Json json = Json::parse(answer->body, nullptr, false);
  if (answer->status != 200 || !json.is_object() || !json.contains("members") ||
      !json["members"].is_array()) {
    return make_error(ErrorCode::kCorrupt, failure_of(answer).second);
  }
  int voters = 0;
  for (const Json& member : json["members"]) {
    if (member.is_object() && is_true(member, "voter")) ++voters;
  }
  return voters;
}

}  // namespace gantry::sidecar
