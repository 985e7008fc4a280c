// SPDX-License-Identifier: Apache-2.0
#include "protocol/consumer_enums.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

std::string_view consume_type_name(ConsumeType type) {
  return kConsumeTypeNames[static_cast<std::size_t>(type)];
}

std::string_view message_model_name(MessageModel model) {
  return kMessageModelNames[static_cast<std::size_t>(model)];
}

std::string_view consume_from_where_name(ConsumeFromWhere where) {
  return kConsumeFromWhereNames[static_cast<std::size_t>(where)];
}

Result<ConsumeType> consume_type_from_name(std::string_view name) {
  return enum_from_name<ConsumeType>("consumeType", name);
}

Result<MessageModel> message_model_from_name(std::string_view name) {
  return enum_from_name<MessageModel>("messageModel", name);
}

Result<ConsumeFromWhere> consume_from_where_from_name(std::string_view name) {
  return enum_from_name<ConsumeFromWhere>("consumeFromWhere", name);
}

}  // namespace gantry::protocol
