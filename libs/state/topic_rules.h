// SPDX-License-Identifier: Apache-2.0
// How topics come to be: from a template when a client sends to an unknown topic, for a group's
// retries and dead letters, and by an administrator's attribute text. Pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/topic_config.h"

namespace gantry::state {

struct InheritOptions {
  std::int32_t default_topic_queue_nums = 4;  // what the request asks for
  std::int32_t topic_sys_flag = 0;
  bool auto_create_topic_enable = true;  // broker configuration; false: TBW102 is no template
};

// What a send to the unknown `topic` creates (auto-create). `topic_template` is the config of the
// request's defaultTopic. Error kInvalidArgument when the template may not be inherited from.
Result<protocol::TopicConfig> inherit_topic(const protocol::TopicConfig& topic_template,
                                            std::string_view topic, const InheritOptions& options);

// %RETRY%group and %DLQ%group.
protocol::TopicConfig make_retry_topic(std::string_view group, std::int32_t retry_queue_nums,
                                       std::int32_t topic_sys_flag);
protocol::TopicConfig make_dlq_topic(std::string_view group);

using TopicAttributes = std::map<std::string, std::string, std::less<>>;

// Applies an attribute text like `+message.type=FIFO,-reserve.time` to a topic's attributes.
// `current` is nullptr when the topic is being created. Errors: kInvalidArgument with RocketMQ's
// remark. Blank text of zero length changes nothing.
Result<TopicAttributes> alter_topic_attributes(const TopicAttributes* current,
                                               std::string_view text);

}  // namespace gantry::state
