// SPDX-License-Identifier: Apache-2.0
#include "protocol/message_queue.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

std::string MessageQueue::to_json() const { return encode_body(*this); }

Result<MessageQueue> MessageQueue::from_json(std::string_view body) {
  return decode_body<MessageQueue>("MessageQueue", body);
}

}  // namespace gantry::protocol

std::size_t std::hash<gantry::protocol::MessageQueue>::operator()(
    const gantry::protocol::MessageQueue& mq) const noexcept {
  constexpr std::size_t kFactor = 0x9E3779B97F4A7C15U;
  std::size_t h = std::hash<std::string>{}(mq.topic);
  h = (h ^ std::hash<std::string>{}(mq.broker_name)) * kFactor;
  return (h ^ static_cast<std::size_t>(mq.queue_id)) * kFactor;
}
