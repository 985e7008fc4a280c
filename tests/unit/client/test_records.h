// SPDX-License-Identifier: Apache-2.0
// Stored records as a broker would answer with.
#pragma once

#include <string>
#include <string_view>

#include "protocol/properties.h"
#include "protocol/record.h"

namespace gantry::test {

struct TestMessage {
  std::string topic = "orders";
  std::int32_t queue_id = 0;
  std::int64_t offset = 0;
  std::int64_t position = 0;
  std::string body = "hello";
  std::string tag;
  std::string keys;
  std::string unique_id;
  std::int32_t sys_flag = 0;
  std::int64_t stored_ms = 1'700'000'000'000;
  std::int32_t store_port = 10911;
  std::vector<std::pair<std::string, std::string>> properties;
};

inline std::string record(const TestMessage& message) {
  std::string properties;
  if (!message.unique_id.empty()) {
    protocol::append_property(properties, protocol::property::kUniqKey, message.unique_id);
  }
  if (!message.tag.empty()) {
    protocol::append_property(properties, protocol::property::kTags, message.tag);
  }
  if (!message.keys.empty()) {
    protocol::append_property(properties, protocol::property::kKeys, message.keys);
  }
  for (const auto& [name, value] : message.properties) {
    protocol::append_property(properties, name, value);
  }
  protocol::RecordFields fields;
  fields.topic = message.topic;
  fields.queue_id = message.queue_id;
  fields.queue_offset = QueueOffset(message.offset);
  fields.position = LogPosition(message.position);
  fields.sys_flag = message.sys_flag;
  fields.born_timestamp_ms = message.stored_ms - 5;
  fields.store_timestamp_ms = message.stored_ms;
  fields.born_host = protocol::RecordHost::parse("127.0.0.1", 4711).value();
  fields.store_host = protocol::RecordHost::parse("127.0.0.1", message.store_port).value();
  fields.body = message.body;
  fields.properties = properties;
  std::string bytes(protocol::encoded_size(fields), '\0');
  protocol::encode_record(fields, bytes.data());
  return bytes;
}

}  // namespace gantry::test
