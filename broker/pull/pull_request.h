// SPDX-License-Identifier: Apache-2.0
// The header of a pull (codes 11 and 361), copied out of the request because a pull may be held.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/types.h"
#include "protocol/command.h"

namespace gantry::broker {

struct PullRequest {
  static constexpr std::int32_t kFlagCommitOffset = 1;
  static constexpr std::int32_t kFlagSuspend = 2;
  static constexpr std::int32_t kFlagSubscription = 4;

  std::string group;
  std::string topic;
  std::int32_t queue_id = 0;
  QueueOffset offset;
  std::int32_t max_messages = 0;
  std::int32_t sys_flag = 0;
  QueueOffset commit_offset;
  std::int64_t suspend_timeout_ms = 0;
  std::string subscription;
  std::int64_t sub_version = 0;
  std::string expression_type;
  std::int32_t max_bytes = 0;  // 0: no limit of the client's

  bool has(std::int32_t flag) const { return (sys_flag & flag) != 0; }
  static Result<PullRequest> parse(const protocol::CommandView& request);
};

}  // namespace gantry::broker
