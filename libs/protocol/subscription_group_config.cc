// SPDX-License-Identifier: Apache-2.0
#include "protocol/subscription_group_config.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

inline constexpr std::array<std::string_view, 2> kGroupRetryPolicyTypeNames = {"EXPONENTIAL",
                                                                               "CUSTOMIZED"};
inline std::span<const std::string_view> enum_names(GroupRetryPolicyType) {
  return kGroupRetryPolicyTypeNames;
}

template <class F, Is<ExponentialRetryPolicy> T>
void describe(F& f, T& t) {
  f("initial", t.initial_ms);
  f("max", t.max_ms);
  f("multiplier", t.multiplier);
}

template <class F, Is<CustomizedRetryPolicy> T>
void describe(F& f, T& t) {
  f("next", t.next_ms);
}

template <class F, Is<GroupRetryPolicy> T>
void describe(F& f, T& t) {
  f("customizedRetryPolicy", t.customized);
  f("exponentialRetryPolicy", t.exponential);
  f("type", t.type);
}

template <class F, Is<SimpleSubscriptionData> T>
void describe(F& f, T& t) {
  f("expression", t.expression);
  f("expressionType", t.expression_type);
  f("topic", t.topic);
  f("version", t.version);
}

template <class F, Is<SubscriptionGroupConfig> T>
void describe(F& f, T& t) {
  f("attributes", t.attributes);
  f("brokerId", t.broker_id);
  f("consumeBroadcastEnable", t.consume_broadcast_enable);
  f("consumeEnable", t.consume_enable);
  f("consumeFromMinEnable", t.consume_from_min_enable);
  f("consumeMessageOrderly", t.consume_message_orderly);
  f("consumeTimeoutMinute", t.consume_timeout_minute);
  f("groupName", t.group_name);
  f("groupRetryPolicy", t.group_retry_policy);
  f("groupSysFlag", t.group_sys_flag);
  f("notifyConsumerIdsChangedEnable", t.notify_consumer_ids_changed_enable);
  f("retryMaxTimes", t.retry_max_times);
  f("retryQueueNums", t.retry_queue_nums);
  f("subscriptionDataSet", t.subscription_data_set);
  f("whichBrokerWhenConsumeSlowly", t.which_broker_when_consume_slowly);
}

template <class F, Is<SubscriptionGroupTable> T>
void describe(F& f, T& t) {
  f("dataVersion", t.data_version);
  f("forbiddenTable", t.forbidden);
  f("subscriptionGroupTable", t.groups);
}

template <class F, Is<SubscriptionGroupList> T>
void describe(F& f, T& t) {
  f("groupConfigList", t.configs);
}

std::string SubscriptionGroupConfig::to_json() const { return encode_body(*this); }

Result<SubscriptionGroupConfig> SubscriptionGroupConfig::from_json(std::string_view body) {
  return decode_body<SubscriptionGroupConfig>("SubscriptionGroupConfig", body);
}

std::string SubscriptionGroupTable::to_json() const { return encode_body(*this); }

Result<SubscriptionGroupTable> SubscriptionGroupTable::from_json(std::string_view body) {
  return decode_body<SubscriptionGroupTable>("SubscriptionGroupTable", body);
}

std::string SubscriptionGroupList::to_json() const { return encode_body(*this); }

Result<SubscriptionGroupList> SubscriptionGroupList::from_json(std::string_view body) {
  return decode_body<SubscriptionGroupList>("SubscriptionGroupList", body);
}

}  // namespace gantry::protocol
