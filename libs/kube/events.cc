// SPDX-License-Identifier: Apache-2.0
#include "kube/events.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

namespace gantry::kube {
namespace {

using Json = nlohmann::json;

// What newer API servers take.
constexpr std::size_t kMessageMax = 1024;
constexpr std::size_t kNameMax = 253;
constexpr int kHttpNotFound = 404;
constexpr int kHttpConflict = 409;

// FNV-1a: the same in every build, unlike std::hash.
std::uint64_t hash_of(std::initializer_list<std::string_view> parts) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto take = [&hash](unsigned char c) { hash = (hash ^ c) * 0x100000001b3ULL; };
  for (const std::string_view part : parts) {
    for (const char c : part) take(static_cast<unsigned char>(c));
    take(0);
  }
  return hash;
}

// At the begin of a character, so that UTF-8 stays UTF-8.
std::string_view cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

// Messages quote what other servers say, which may be any bytes.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string_view to_string(EventType type) {
  return type == EventType::kWarning ? "Warning" : "Normal";
}

std::string kube_time(std::int64_t unix_ms) {
  using namespace std::chrono;
  const auto at = floor<seconds>(sys_time<milliseconds>(milliseconds(unix_ms)));
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(at - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

std::string event_name(const PodReference& pod, const Event& event) {
  const std::string end =
      fmt::format(".{:016x}", hash_of({pod.uid, to_string(event.type), event.reason}));
  std::string name = pod.name.substr(0, kNameMax - end.size());
  while (name.ends_with('-') || name.ends_with('.')) name.pop_back();
  return name + end;
}

std::string event_json(const PodReference& pod, const Event& event, std::string_view reporter,
                       std::int64_t now_ms) {
  const std::string now = kube_time(now_ms);
  return text_of({{"apiVersion", "v1"},
                  {"kind", "Event"},
                  {"metadata", {{"name", event_name(pod, event)}, {"namespace", pod.name_space}}},
                  {"involvedObject",
                   {{"apiVersion", "v1"},
                    {"kind", "Pod"},
                    {"namespace", pod.name_space},
                    {"name", pod.name},
                    {"uid", pod.uid}}},
                  {"type", to_string(event.type)},
                  {"reason", event.reason},
                  {"message", cut(event.message, kMessageMax)},
                  {"source", {{"component", reporter}}},
                  {"reportingComponent", reporter},
                  {"reportingInstance", pod.name},
                  {"firstTimestamp", now},
                  {"lastTimestamp", now},
                  {"count", 1}});
}

std::string event_patch(const Event& event, std::optional<std::int64_t> count,
                        std::int64_t now_ms) {
  Json patch{{"message", cut(event.message, kMessageMax)}, {"lastTimestamp", kube_time(now_ms)}};
  if (count) patch["count"] = *count;
  return text_of(patch);
}

Result<std::int64_t> parse_event_count(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || json.value("kind", Json()) != "Event") {
    return make_error(ErrorCode::kCorrupt, "the answer is not an Event");
  }
  const auto count = json.find("count");
  if (count == json.end() || !count->is_number_integer()) return 1;
  return std::max<std::int64_t>(1, count->get<std::int64_t>());
}

Events::Events(ApiClient& client, std::string name_space, std::string reporter)
    : client_(client),
      path_("/api/v1/namespaces/" + std::move(name_space) + "/events"),
      reporter_(std::move(reporter)) {}

ApiResult<Events::Posted> Events::post(const PodReference& pod, const Event& event,
                                       std::int64_t now_ms, const std::stop_token& stop) {
  const std::string name = event_name(pod, event);
  if (const auto known = counts_.find(name); known != counts_.end()) {
    auto counted = count(name, event, known->second + 1, now_ms, stop);
    if (counted || !counted.error().is_status(kHttpNotFound)) return counted;
    counts_.erase(name);
  }
  const auto created = client_.call({.method = "POST",
                                     .path = path_,
                                     .body = event_json(pod, event, reporter_, now_ms),
                                     .content_type = "application/json"},
                                    stop);
  if (created) {
    counts_[name] = 1;
    return Posted::kCreated;
  }
  if (!created.error().is_status(kHttpConflict)) return std::unexpected(created.error());
  // Of an earlier life of this program. What it has counted comes with the answer to a patch, so
  // that no right to read Events is needed.
  const auto before = patch(name, event_patch(event, std::nullopt, now_ms), stop);
  if (!before) return std::unexpected(before.error());
  return count(name, event, *before + 1, now_ms, stop);
}

ApiResult<Events::Posted> Events::count(const std::string& name, const Event& event,
                                        std::int64_t times, std::int64_t now_ms,
                                        const std::stop_token& stop) {
  const auto counted = patch(name, event_patch(event, times, now_ms), stop);
  if (!counted) return std::unexpected(counted.error());
  counts_[name] = *counted;
  return Posted::kCounted;
}

ApiResult<std::int64_t> Events::patch(const std::string& name, const std::string& body,
                                      const std::stop_token& stop) {
  const ApiRequest request{.method = "PATCH",
                           .path = path_ + "/" + name,
                           .body = body,
                           .content_type = "application/merge-patch+json"};
  const auto answer = client_.call(request, stop);
  if (!answer) return std::unexpected(answer.error());
  const auto count = parse_event_count(*answer);
  if (count) return *count;
  return std::unexpected(ApiError{.failure = Failure::kMalformed,
                                  .method = request.method,
                                  .path = request.path,
                                  .status = {.message = count.error().message}});
}

}  // namespace gantry::kube
