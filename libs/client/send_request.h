// SPDX-License-Identifier: Apache-2.0
// One message as a SEND_MESSAGE_V2 request, and what its answer says. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "protocol/codes.h"
#include "protocol/command.h"
#include "protocol/message_queue.h"

namespace gantry::client {

struct OutgoingMessage {
  std::string topic;
  std::string body;
  std::string tag;
  std::vector<std::string> keys;
  std::string sharding_key;        // all messages with the same one go to the same queue
  std::int32_t delay_level = 0;    // 1 to 18 of the broker's messageDelayLevel
  std::int64_t deliver_at_ms = 0;  // Unix ms; 0: at once
  std::int32_t flag = 0;
  std::vector<std::pair<std::string, std::string>> properties;
};

// kInvalidArgument: a name or value has a byte that the property text cannot carry, a key has a
// space, a property has a name of the protocol's own, or the text is too long.
Result<std::string> property_text(const OutgoingMessage& message, std::string_view unique_id);

// The request for one queue. `properties` is what property_text() returned.
protocol::Command send_request(const OutgoingMessage& message, std::string_view properties,
                               const protocol::MessageQueue& queue, std::string_view producer_group,
                               std::int64_t born_timestamp_ms);

struct SendReceipt {
  // kSuccess, or stored with a reservation: kFlushDiskTimeout, kFlushSlaveTimeout,
  // kSlaveNotAvailable.
  protocol::ResponseCode status = protocol::ResponseCode::kSuccess;
  std::string offset_message_id;
  protocol::MessageQueue queue;
  std::int64_t queue_offset = 0;
};

// `queue` is the one that was asked for; the broker may have chosen another id.
Result<SendReceipt> parse_send_answer(const protocol::Command& answer,
                                      const protocol::MessageQueue& queue, std::string_view who);

// Whether another broker, or this one a moment later, may take what was refused with this code.
bool is_retryable_send(std::int32_t code);

}  // namespace gantry::client
