// SPDX-License-Identifier: Apache-2.0
// Server-side rebalance: bodies of QUERY_ASSIGNMENT (400), SET_MESSAGE_REQUEST_MODE (401) and
// GET_ALL_MESSAGE_REQUEST_MODE (402).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/consumer_enums.h"
#include "protocol/message_queue.h"

namespace gantry::protocol {

enum class MessageRequestMode : std::uint8_t { kPull = 0, kPop = 1 };
std::string_view message_request_mode_name(MessageRequestMode mode);  // "PULL", "POP"

struct QueryAssignmentRequest {
  std::string topic;
  std::string consumer_group;
  std::string client_id;
  std::string strategy_name;
  MessageModel message_model = MessageModel::kClustering;

  bool operator==(const QueryAssignmentRequest&) const = default;

  std::string to_json() const;
  static Result<QueryAssignmentRequest> from_json(std::string_view body);
};

struct MessageQueueAssignment {
  MessageQueue message_queue;
  MessageRequestMode mode = MessageRequestMode::kPull;

  bool operator==(const MessageQueueAssignment&) const = default;
};

struct QueryAssignmentResponse {
  std::vector<MessageQueueAssignment> assignments;  // empty: the body is {}

  bool operator==(const QueryAssignmentResponse&) const = default;

  std::string to_json() const;
  static Result<QueryAssignmentResponse> from_json(std::string_view body);
};

struct SetMessageRequestMode {
  std::string topic;
  std::string consumer_group;
  MessageRequestMode mode = MessageRequestMode::kPull;
  std::int32_t pop_share_queue_num = 0;

  bool operator==(const SetMessageRequestMode&) const = default;

  std::string to_json() const;
  static Result<SetMessageRequestMode> from_json(std::string_view body);
};

struct MessageRequestModeTable {
  // topic -> group -> mode
  std::map<std::string, std::map<std::string, SetMessageRequestMode, std::less<>>, std::less<>>
      modes;

  bool operator==(const MessageRequestModeTable&) const = default;

  std::string to_json() const;
  static Result<MessageRequestModeTable> from_json(std::string_view body);
};

}  // namespace gantry::protocol
