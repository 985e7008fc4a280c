// SPDX-License-Identifier: Apache-2.0
#include "broker/pull/pull_request.h"

#include <fmt/core.h>

namespace gantry::broker {
namespace {

std::unexpected<Error> missing(std::string_view field) {
  return make_error(ErrorCode::kInvalidArgument,
                    fmt::format("the custom field <{}> is null or illegal", field));
}

}  // namespace

Result<PullRequest> PullRequest::parse(const protocol::CommandView& request) {
  const protocol::ExtFields& ext = request.ext;
  PullRequest pull;
  pull.group = ext.get("consumerGroup");
  if (pull.group.empty()) return missing("consumerGroup");
  pull.topic = ext.get("topic");
  if (pull.topic.empty()) return missing("topic");
  const auto queue_id = ext.get_int32("queueId");
  if (!queue_id) return missing("queueId");
  const auto offset = ext.get_int64("queueOffset");
  if (!offset) return missing("queueOffset");
  const auto max_messages = ext.get_int32("maxMsgNums");
  if (!max_messages) return missing("maxMsgNums");
  const auto sys_flag = ext.get_int32("sysFlag");
  if (!sys_flag) return missing("sysFlag");
  const auto commit_offset = ext.get_int64("commitOffset");
  if (!commit_offset) return missing("commitOffset");
  const auto suspend = ext.get_int64("suspendTimeoutMillis");
  if (!suspend) return missing("suspendTimeoutMillis");
  const auto sub_version = ext.get_int64("subVersion");
  if (!sub_version) return missing("subVersion");
  pull.queue_id = *queue_id;
  pull.offset = QueueOffset(*offset);
  pull.max_messages = *max_messages;
  pull.sys_flag = *sys_flag;
  pull.commit_offset = QueueOffset(*commit_offset);
  pull.suspend_timeout_ms = *suspend;
  pull.sub_version = *sub_version;
  pull.subscription = ext.get("subscription");
  pull.expression_type = ext.get("expressionType");
  pull.max_bytes = ext.get_int32("maxMsgBytes").value_or(0);
  return pull;
}

}  // namespace gantry::broker
