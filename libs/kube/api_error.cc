// SPDX-License-Identifier: Apache-2.0
#include "kube/api_error.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

namespace gantry::kube {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kForeignTextMax = 200;
constexpr std::int64_t kRetryAfterSecondsMax = 3600;  // the client has its own, lower limit

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string_view to_string(Failure failure) {
  switch (failure) {
    case Failure::kCredentials:
      return "credentials";
    case Failure::kTls:
      return "tls";
    case Failure::kConnect:
      return "connect";
    case Failure::kAnswer:
      return "answer";
    case Failure::kStatus:
      return "status";
    case Failure::kMalformed:
      return "malformed";
    case Failure::kStopped:
      return "stopped";
  }
  return "unknown";
}

Status parse_status(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return {.message = std::string(body.substr(0, kForeignTextMax))};
  Status status{.reason = text_at(json, "reason"), .message = text_at(json, "message")};
  const auto details = json.find("details");
  if (details == json.end() || !details->is_object()) return status;
  const auto after = details->find("retryAfterSeconds");
  if (after == details->end() || !after->is_number_integer()) return status;
  const auto seconds = after->get<std::int64_t>();
  if (seconds > 0)
    status.retry_after = std::chrono::seconds(std::min(seconds, kRetryAfterSecondsMax));
  return status;
}

std::string ApiError::describe() const {
  std::string text = fmt::format("{} {}: ", method, path);
  if (failure != Failure::kStatus) return text + status.message;
  text += std::to_string(http_status);
  if (!status.reason.empty()) text += " " + status.reason;
  if (!status.message.empty()) text += ": " + status.message;
  return text;
}

}  // namespace gantry::kube
