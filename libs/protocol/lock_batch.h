// SPDX-License-Identifier: Apache-2.0
// Bodies of LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/message_queue.h"

namespace gantry::protocol {

struct LockBatchRequest {
  std::string consumer_group;
  std::string client_id;
  bool only_this_broker = false;
  std::vector<MessageQueue> mq_set;

  bool operator==(const LockBatchRequest&) const = default;

  std::string to_json() const;
  static Result<LockBatchRequest> from_json(std::string_view body);
};

struct LockBatchResponse {
  std::vector<MessageQueue> lock_ok_mq_set;

  bool operator==(const LockBatchResponse&) const = default;

  std::string to_json() const;
  static Result<LockBatchResponse> from_json(std::string_view body);
};

}  // namespace gantry::protocol
