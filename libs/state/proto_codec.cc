// SPDX-License-Identifier: Apache-2.0
#include "state/proto_codec.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

#include "state.pb.h"

namespace gantry::state {
namespace {

template <class Proto>
void attributes_to_proto(const std::map<std::string, std::string, std::less<>>& in, Proto& out) {
  for (const auto& [key, value] : in) {
    proto::Attribute& attribute = *out.add_attributes();
    attribute.set_key(key);
    attribute.set_value(value);
  }
}

template <class Proto>
std::map<std::string, std::string, std::less<>> attributes_from_proto(const Proto& in) {
  std::map<std::string, std::string, std::less<>> out;
  for (const proto::Attribute& attribute : in.attributes()) {
    out.insert_or_assign(attribute.key(), attribute.value());
  }
  return out;
}

void policy_to_proto(const protocol::GroupRetryPolicy& in, proto::GroupConfig& out) {
  out.set_retry_policy_type(static_cast<std::uint32_t>(in.type));
  if (in.exponential) {
    proto::ExponentialRetryPolicy& policy = *out.mutable_exponential();
    policy.set_initial_ms(in.exponential->initial_ms);
    policy.set_max_ms(in.exponential->max_ms);
    policy.set_multiplier(in.exponential->multiplier);
  }
  if (in.customized) {
    proto::CustomizedRetryPolicy& policy = *out.mutable_customized();
    for (const std::int64_t next : in.customized->next_ms) policy.add_next_ms(next);
  }
}

protocol::GroupRetryPolicy policy_from_proto(const proto::GroupConfig& in) {
  protocol::GroupRetryPolicy out;
  out.type = static_cast<protocol::GroupRetryPolicyType>(in.retry_policy_type());
  if (in.has_exponential()) {
    out.exponential = protocol::ExponentialRetryPolicy{
        in.exponential().initial_ms(), in.exponential().max_ms(), in.exponential().multiplier()};
  }
  if (in.has_customized()) {
    out.customized.emplace().next_ms.assign(in.customized().next_ms().begin(),
                                            in.customized().next_ms().end());
  }
  return out;
}

// The tags and codes that RocketMQ's clients make of the same text, which need not be stored.
void derive_tags(protocol::SubscriptionData& data) {
  const auto built =
      protocol::build_subscription(data.topic, data.sub_string, data.expression_type);
  if (!built) return;
  data.tags_set = built->tags_set;
  data.code_set = built->code_set;
}

void to_proto(const protocol::SubscriptionData& in, proto::TopicSubscription& out) {
  out.set_topic(in.topic);
  out.set_sub_string(in.sub_string);
  out.set_expression_type(in.expression_type);
  out.set_sub_version(in.sub_version);
  out.set_class_filter_mode(in.class_filter_mode);
  protocol::SubscriptionData derived{.topic = in.topic,
                                     .sub_string = in.sub_string,
                                     .tags_set = {},
                                     .code_set = {},
                                     .expression_type = in.expression_type};
  derive_tags(derived);
  if (derived.tags_set == in.tags_set && derived.code_set == in.code_set) return;
  proto::TagSet& tags = *out.mutable_tag_set();
  for (const std::string& tag : in.tags_set) tags.add_tags(tag);
  for (const std::int32_t code : in.code_set) tags.add_codes(code);
}

protocol::SubscriptionData from_proto(const proto::TopicSubscription& in) {
  protocol::SubscriptionData out;
  out.topic = in.topic();
  out.sub_string = in.sub_string();
  out.expression_type = in.expression_type();
  out.sub_version = in.sub_version();
  out.class_filter_mode = in.class_filter_mode();
  if (in.has_tag_set()) {
    out.tags_set.insert(in.tag_set().tags().begin(), in.tag_set().tags().end());
    out.code_set.insert(in.tag_set().codes().begin(), in.tag_set().codes().end());
  } else {
    derive_tags(out);
  }
  return out;
}

}  // namespace

void to_proto(const protocol::DataVersion& in, proto::DataVersion& out) {
  out.set_state_version(in.state_version);
  out.set_timestamp_ms(in.timestamp_ms);
  out.set_counter(in.counter);
}

protocol::DataVersion from_proto(const proto::DataVersion& in) {
  protocol::DataVersion out;
  out.state_version = in.state_version();
  out.timestamp_ms = in.timestamp_ms();
  out.counter = in.counter();
  return out;
}

void to_proto(const protocol::TopicConfig& in, proto::TopicConfig& out) {
  out.set_name(in.topic_name);
  out.set_read_queue_nums(in.read_queue_nums);
  out.set_write_queue_nums(in.write_queue_nums);
  out.set_perm(in.perm);
  out.set_topic_filter_type(static_cast<std::uint32_t>(in.topic_filter_type));
  out.set_topic_sys_flag(in.topic_sys_flag);
  out.set_order(in.order);
  attributes_to_proto(in.attributes, out);
}

Result<protocol::TopicConfig> from_proto(const proto::TopicConfig& in) {
  if (in.name().empty()) return make_error(ErrorCode::kCorrupt, "topic config without a name");
  if (in.topic_filter_type() > 1) {
    return make_error(ErrorCode::kCorrupt, fmt::format("topic {}: unknown topic filter type {}",
                                                       in.name(), in.topic_filter_type()));
  }
  protocol::TopicConfig out;
  out.topic_name = in.name();
  out.read_queue_nums = in.read_queue_nums();
  out.write_queue_nums = in.write_queue_nums();
  out.perm = in.perm();
  out.topic_filter_type = static_cast<protocol::TopicFilterType>(in.topic_filter_type());
  out.topic_sys_flag = in.topic_sys_flag();
  out.order = in.order();
  out.attributes = attributes_from_proto(in);
  return out;
}

void to_proto(const protocol::SubscriptionGroupConfig& in, proto::GroupConfig& out) {
  out.set_name(in.group_name);
  out.set_consume_enable(in.consume_enable);
  out.set_consume_from_min_enable(in.consume_from_min_enable);
  out.set_consume_broadcast_enable(in.consume_broadcast_enable);
  out.set_consume_message_orderly(in.consume_message_orderly);
  out.set_notify_consumer_ids_changed_enable(in.notify_consumer_ids_changed_enable);
  out.set_retry_queue_nums(in.retry_queue_nums);
  out.set_retry_max_times(in.retry_max_times);
  policy_to_proto(in.group_retry_policy, out);
  out.set_broker_id(in.broker_id);
  out.set_which_broker_when_consume_slowly(in.which_broker_when_consume_slowly);
  out.set_group_sys_flag(in.group_sys_flag);
  out.set_consume_timeout_minute(in.consume_timeout_minute);
  if (in.subscription_data_set) {
    proto::SubscriptionSet& set = *out.mutable_subscription_data_set();
    for (const protocol::SimpleSubscriptionData& data : *in.subscription_data_set) {
      proto::Subscription& subscription = *set.add_subscriptions();
      subscription.set_topic(data.topic);
      subscription.set_expression_type(data.expression_type);
      subscription.set_expression(data.expression);
      subscription.set_version(data.version);
    }
  }
  attributes_to_proto(in.attributes, out);
}

Result<protocol::SubscriptionGroupConfig> from_proto(const proto::GroupConfig& in) {
  if (in.name().empty()) return make_error(ErrorCode::kCorrupt, "group config without a name");
  if (in.retry_policy_type() > 1) {
    return make_error(ErrorCode::kCorrupt, fmt::format("group {}: unknown retry policy type {}",
                                                       in.name(), in.retry_policy_type()));
  }
  protocol::SubscriptionGroupConfig out;
  out.group_name = in.name();
  out.consume_enable = in.consume_enable();
  out.consume_from_min_enable = in.consume_from_min_enable();
  out.consume_broadcast_enable = in.consume_broadcast_enable();
  out.consume_message_orderly = in.consume_message_orderly();
  out.notify_consumer_ids_changed_enable = in.notify_consumer_ids_changed_enable();
  out.retry_queue_nums = in.retry_queue_nums();
  out.retry_max_times = in.retry_max_times();
  out.group_retry_policy = policy_from_proto(in);
  out.broker_id = in.broker_id();
  out.which_broker_when_consume_slowly = in.which_broker_when_consume_slowly();
  out.group_sys_flag = in.group_sys_flag();
  out.consume_timeout_minute = in.consume_timeout_minute();
  if (in.has_subscription_data_set()) {
    out.subscription_data_set.emplace();
    for (const proto::Subscription& subscription : in.subscription_data_set().subscriptions()) {
      out.subscription_data_set->push_back({subscription.topic(), subscription.expression_type(),
                                            subscription.expression(), subscription.version()});
    }
  }
  out.attributes = attributes_from_proto(in);
  return out;
}

void to_proto(const LockedQueue& in, proto::LockedQueue& out) {
  out.set_topic(in.topic);
  out.set_broker_name(in.broker_name);
  out.set_queue_id(in.queue_id);
}

LockedQueue from_proto(const proto::LockedQueue& in) {
  return {in.topic(), in.broker_name(), in.queue_id()};
}

void to_proto(std::string_view group, const GroupSubscriptions& in,
              proto::GroupSubscriptions& out) {
  out.set_group(std::string(group));
  out.set_consume_type(static_cast<std::uint32_t>(in.consume_type));
  out.set_message_model(static_cast<std::uint32_t>(in.message_model));
  for (const auto& [topic, data] : in.topics) to_proto(data, *out.add_topics());
}

Result<GroupSubscriptions> from_proto(const proto::GroupSubscriptions& in) {
  if (in.group().empty()) return make_error(ErrorCode::kCorrupt, "subscriptions without a group");
  if (in.consume_type() > 2 || in.message_model() > 1) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("subscriptions of {}: unknown consume type {} or message model "
                                  "{}",
                                  in.group(), in.consume_type(), in.message_model()));
  }
  GroupSubscriptions out;
  out.consume_type = static_cast<protocol::ConsumeType>(in.consume_type());
  out.message_model = static_cast<protocol::MessageModel>(in.message_model());
  for (const proto::TopicSubscription& topic : in.topics()) {
    protocol::SubscriptionData data = from_proto(topic);
    out.topics.insert_or_assign(topic.topic(), std::move(data));
  }
  return out;
}

void to_proto(const OpenTransaction& in, proto::OpenTransaction& out) {
  out.set_position(in.position.v);
  out.set_queue_offset(in.queue_offset.v);
  out.set_born_ms(in.born_ms);
  out.set_topic(in.topic);
  out.set_immunity_ms(in.immunity_ms);
  out.set_checks(in.checks);
}

OpenTransaction from_proto(const proto::OpenTransaction& in) {
  return {LogPosition(in.position()),
          QueueOffset(in.queue_offset()),
          in.born_ms(),
          in.topic(),
          in.immunity_ms(),
          in.checks()};
}

}  // namespace gantry::state
