// SPDX-License-Identifier: Apache-2.0
#include "broker/transaction/check_message.h"

#include "broker/core/transaction_records.h"
#include "protocol/codes.h"
#include "protocol/message_id.h"
#include "protocol/properties.h"
#include "state/system_topics.h"

namespace gantry::broker {

namespace property = protocol::property;

std::string properties_with_checks(const protocol::RecordView& half, std::int32_t checks) {
  const std::string_view stored = protocol::fields_of(half).properties;
  auto properties = protocol::Properties::parse(stored);
  properties.set(property::kTransactionCheckTimes, std::to_string(checks));
  std::string text = properties.text();
  const bool fits = text.size() + protocol::kCrcPropertyBytes <= protocol::kPropertiesBytesMax;
  return fits ? text : std::string(stored);
}

protocol::Command check_message(const protocol::RecordView& half, std::int32_t checks,
                                std::string_view broker_name) {
  const std::string properties = properties_with_checks(half, checks);
  const RealTarget target = real_target(half.properties).value_or(RealTarget{});
  protocol::RecordFields fields = protocol::fields_of(half);
  fields.topic = target.topic;
  fields.queue_id = target.queue_id;
  fields.properties = properties;
  const std::string unique_key(
      protocol::find_property(properties, property::kUniqKey).value_or(""));
  auto command = protocol::Command::request(
                     static_cast<std::int32_t>(protocol::RequestCode::kCheckTransactionState))
                     .with("topic", std::string(state::kTransHalfTopic))
                     .with("tranStateTableOffset", half.queue_offset.v)
                     .with("commitLogOffset", half.position.v)
                     .with("msgId", unique_key)
                     .with("transactionId", unique_key)
                     .with("offsetMsgId", protocol::message_id(half.store_host, half.position))
                     .with("bname", std::string(broker_name));
  command.body.resize(protocol::encoded_size(fields));
  protocol::encode_record(fields, command.body.data());
  return command;
}

}  // namespace gantry::broker
