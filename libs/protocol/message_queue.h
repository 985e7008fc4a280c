// SPDX-License-Identifier: Apache-2.0
// MessageQueue: one queue of a topic on a broker. Maps keyed by it travel as JSON with unquoted
// object keys, {{"brokerName":"b","queueId":0,"topic":"T"}:value}, which is what all readers
// accept.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::protocol {

struct MessageQueue {
  std::string topic;
  std::string broker_name;
  std::int32_t queue_id = 0;

  auto operator<=>(const MessageQueue&) const = default;

  std::string to_json() const;
  static Result<MessageQueue> from_json(std::string_view body);
};

template <class V>
using MessageQueueMap = std::map<MessageQueue, V>;

}  // namespace gantry::protocol

template <>
struct std::hash<gantry::protocol::MessageQueue> {
  std::size_t operator()(const gantry::protocol::MessageQueue& mq) const noexcept;
};
