// SPDX-License-Identifier: Apache-2.0
// The topic a message goes to: checked, and created where RocketMQ creates it (from a template on
// the first send, retry and dead-letter topics on demand). Log shard only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/core/context.h"
#include "protocol/topic_config.h"

namespace gantry::broker {

struct RefusedSend {
  protocol::ResponseCode code;
  std::string remark;
};

class TopicResolver {
 public:
  explicit TopicResolver(BrokerContext& context) : context_(context) {}

  // The checks of every send: name, forbidden targets, existence or creation.
  std::expected<const protocol::TopicConfig*, RefusedSend> for_send(
      std::string_view topic, std::string_view default_topic, std::int32_t default_topic_queue_nums,
      bool unit_mode);
  // %RETRY%group and %DLQ%group, created when missing. Null: creating was refused (disk full).
  const protocol::TopicConfig* retry_topic(std::string_view group, std::int32_t queue_nums,
                                           bool unit_mode = false);
  const protocol::TopicConfig* dlq_topic(std::string_view group);

 private:
  const protocol::TopicConfig* create(protocol::TopicConfig config);
  BrokerContext& context_;
};

}  // namespace gantry::broker
