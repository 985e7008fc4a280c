// SPDX-License-Identifier: Apache-2.0
// HeartbeatData: body of code 34, as Java, Go and C++ clients send it. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/consumer_enums.h"
#include "protocol/subscription_data.h"

namespace gantry::protocol {

struct ConsumerData {
  std::string group_name;
  ConsumeType consume_type = ConsumeType::kPassively;
  MessageModel message_model = MessageModel::kClustering;
  ConsumeFromWhere consume_from_where = ConsumeFromWhere::kLastOffset;
  std::vector<SubscriptionData> subscriptions;  // wire name: subscriptionDataSet
  bool unit_mode = false;

  bool operator==(const ConsumerData&) const = default;
};

struct HeartbeatData {
  std::string client_id;
  std::vector<std::string> producer_groups;  // groupName of each producerDataSet entry
  std::vector<ConsumerData> consumers;
  std::int32_t heartbeat_fingerprint = 0;  // not 0: heartbeat V2
  bool without_sub = false;                // V2: subscriptions are unchanged, do not clear them

  bool operator==(const HeartbeatData&) const = default;

  std::string to_json() const;
  static Result<HeartbeatData> from_json(std::string_view body);
};

}  // namespace gantry::protocol
