// SPDX-License-Identifier: Apache-2.0
#include "state/name_rules.h"

#include <fmt/core.h>

#include <algorithm>

namespace gantry::state {
namespace {

constexpr std::string_view kPattern = "^[%|a-zA-Z0-9_-]+$";

bool is_blank(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
  });
}

bool is_allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '%' ||
         c == '|' || c == '_' || c == '-';
}

Result<void> validate(std::string_view kind, std::string_view name, std::size_t bytes_max) {
  if (is_blank(name)) {
    return make_error(ErrorCode::kInvalidArgument, fmt::format("The specified {} is blank.", kind));
  }
  if (!std::all_of(name.begin(), name.end(), is_allowed)) {
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("The specified {}: {}, contains illegal characters, allowing "
                                  "only {}",
                                  kind, name, kPattern));
  }
  if (name.size() > bytes_max) {
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("The specified {}: {}, is longer than {} max length: {}", kind,
                                  name, kind, bytes_max));
  }
  return {};
}

}  // namespace

Result<void> validate_topic_name(std::string_view topic) {
  return validate("topic", topic, kTopicNameBytesMax);
}

Result<void> validate_group_name(std::string_view group) {
  return validate("group", group, kGroupNameBytesMax);
}

bool is_retry_topic(std::string_view topic) { return topic.starts_with(kRetryTopicPrefix); }

bool is_dlq_topic(std::string_view topic) { return topic.starts_with(kDlqTopicPrefix); }

std::string retry_topic(std::string_view group) {
  return std::string(kRetryTopicPrefix).append(group);
}

std::string dlq_topic(std::string_view group) { return std::string(kDlqTopicPrefix).append(group); }

std::string pop_retry_topic(std::string_view group, std::string_view topic) {
  return retry_topic(group).append("_").append(topic);
}

}  // namespace gantry::state
