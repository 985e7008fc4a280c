// SPDX-License-Identifier: Apache-2.0
// What RocketMQ allows as a topic or group name, with its own remarks for response code 29, and the
// names built from others. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::state {

inline constexpr std::size_t kTopicNameBytesMax = 127;
inline constexpr std::size_t kGroupNameBytesMax = 120;
inline constexpr std::string_view kRetryTopicPrefix = "%RETRY%";
inline constexpr std::string_view kDlqTopicPrefix = "%DLQ%";

// kInvalidArgument; the message is the remark to answer with.
Result<void> validate_topic_name(std::string_view topic);
Result<void> validate_group_name(std::string_view group);

bool is_retry_topic(std::string_view topic);
bool is_dlq_topic(std::string_view topic);
std::string retry_topic(std::string_view group);
std::string dlq_topic(std::string_view group);
// The retry topic of POP consumption, one for each topic of a group.
std::string pop_retry_topic(std::string_view group, std::string_view topic);

}  // namespace gantry::state
