// SPDX-License-Identifier: Apache-2.0
// SubscriptionGroupConfig (code 200) and the bodies that carry several: 201 and 225.
// Plain values; no thread rules.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/data_version.h"

namespace gantry::protocol {

enum class GroupRetryPolicyType : std::uint8_t { kExponential = 0, kCustomized = 1 };

struct ExponentialRetryPolicy {
  std::int64_t initial_ms = 5000;
  std::int64_t max_ms = 7200000;
  std::int64_t multiplier = 2;

  bool operator==(const ExponentialRetryPolicy&) const = default;
};

struct CustomizedRetryPolicy {
  std::vector<std::int64_t> next_ms;  // delay before each retry

  bool operator==(const CustomizedRetryPolicy&) const = default;
};

struct GroupRetryPolicy {
  GroupRetryPolicyType type = GroupRetryPolicyType::kCustomized;
  std::optional<ExponentialRetryPolicy> exponential;
  std::optional<CustomizedRetryPolicy> customized;

  bool operator==(const GroupRetryPolicy&) const = default;
};

// One entry of the optional server-side static subscription.
struct SimpleSubscriptionData {
  std::string topic;
  std::string expression_type;
  std::string expression;
  std::int64_t version = 0;

  bool operator==(const SimpleSubscriptionData&) const = default;
};

struct SubscriptionGroupConfig {
  std::string group_name;
  bool consume_enable = true;
  bool consume_from_min_enable = true;
  bool consume_broadcast_enable = true;
  bool consume_message_orderly = false;
  bool notify_consumer_ids_changed_enable = true;
  std::int32_t retry_queue_nums = 1;
  std::int32_t retry_max_times = 16;
  GroupRetryPolicy group_retry_policy;
  std::int64_t broker_id = 0;
  std::int64_t which_broker_when_consume_slowly = 1;
  std::int32_t group_sys_flag = 0;
  std::int32_t consume_timeout_minute = 15;
  std::optional<std::vector<SimpleSubscriptionData>> subscription_data_set;
  std::map<std::string, std::string, std::less<>> attributes;

  bool operator==(const SubscriptionGroupConfig&) const = default;

  std::string to_json() const;
  static Result<SubscriptionGroupConfig> from_json(std::string_view body);
};

// Response body of code 201.
struct SubscriptionGroupTable {
  std::map<std::string, SubscriptionGroupConfig, std::less<>> groups;
  // group -> topic -> forbidden bits (code 353)
  std::map<std::string, std::map<std::string, std::int32_t, std::less<>>, std::less<>> forbidden;
  DataVersion data_version;

  bool operator==(const SubscriptionGroupTable&) const = default;

  std::string to_json() const;
  static Result<SubscriptionGroupTable> from_json(std::string_view body);
};

// Request body of code 225.
struct SubscriptionGroupList {
  std::vector<SubscriptionGroupConfig> configs;

  bool operator==(const SubscriptionGroupList&) const = default;

  std::string to_json() const;
  static Result<SubscriptionGroupList> from_json(std::string_view body);
};

}  // namespace gantry::protocol
