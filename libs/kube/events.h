// SPDX-License-Identifier: Apache-2.0
// Events of one namespace (core/v1), in the form in which client-go's recorder writes them: each
// kind of event about an object is one Event, whose repetitions are counted.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kube/api_client.h"

namespace gantry::kube {

enum class EventType : std::uint8_t { kNormal, kWarning };
std::string_view to_string(EventType type);  // "Normal", "Warning"

// The pod that events are about; `kubectl describe` shows those that name its uid.
struct PodReference {
  std::string name;
  std::string name_space;
  std::string uid;
};

struct Event {
  EventType type = EventType::kNormal;
  std::string reason{};   // UpperCamelCase, for programs
  std::string message{};  // for people; cut to 1 KiB
};

// The same for the same pod (by uid), type and reason, so that a program that was restarted goes on
// counting.
std::string event_name(const PodReference& pod, const Event& event);

// The object that says that something has happened for the first time. `reporter` is the program.
std::string event_json(const PodReference& pod, const Event& event, std::string_view reporter,
                       std::int64_t now_ms);

// A merge patch that says that it has happened again; without a count that is left as it is.
std::string event_patch(const Event& event, std::optional<std::int64_t> count, std::int64_t now_ms);

// Of the answer to a patch: how often it has happened. An Event of another origin may have none:
// 1. Errors: not an Event.
Result<std::int64_t> parse_event_count(std::string_view json);

// Unix milliseconds as Kubernetes writes times: "2020-01-31T23:59:59Z".
std::string kube_time(std::int64_t unix_ms);

// Same thread as its client, which outlives it. Names must be object names.
class Events {
 public:
  enum class Posted : std::uint8_t { kCreated, kCounted };

  Events(ApiClient& client, std::string name_space, std::string reporter);

  // Makes the Event, or counts one that is there. One that Kubernetes has thrown away (it keeps
  // them for an hour) is made anew.
  ApiResult<Posted> post(const PodReference& pod, const Event& event, std::int64_t now_ms,
                         const std::stop_token& stop = {});

 private:
  ApiResult<Posted> count(const std::string& name, const Event& event, std::int64_t times,
                          std::int64_t now_ms, const std::stop_token& stop);
  // Returns the count after it.
  ApiResult<std::int64_t> patch(const std::string& name, const std::string& body,
                                const std::stop_token& stop);

  ApiClient& client_;
  const std::string path_;
  const std::string reporter_;
  std::map<std::string, std::int64_t> counts_;  // by name, as last seen
};

}  // namespace gantry::kube
