// SPDX-License-Identifier: Apache-2.0
#include "client/message.h"

#include <fmt/core.h>

#include "client/compression.h"
#include "protocol/message_id.h"
#include "protocol/properties.h"

namespace gantry::client {
namespace {

constexpr std::size_t kUnpackedBytesMax = 64U << 20;

void set_body(const protocol::RecordView& record, Message& message) {
  message.body_crc_valid =
      protocol::verify_checksum(record, protocol::ChecksumPolicy::kBodyCrc).has_value();
  if ((record.sys_flag & protocol::sys_flag::kCompressed) == 0) {
    message.body = record.body;
    return;
  }
  auto method = compression_of(record.sys_flag);
  auto body = method ? decompress(*method, record.body, kUnpackedBytesMax)
                     : Result<std::string>(std::unexpected(method.error()));
  if (body) {
    message.body = std::move(*body);
  } else {
    message.body = record.body;
    message.body_error = std::move(body).error().message;
  }
}

}  // namespace

std::string_view Message::property(std::string_view name) const {
  std::string_view found;
  for (const auto& [key, value] : properties) {
    if (key == name) found = value;  // the last one counts
  }
  return found;
}

std::string_view Message::id() const {
  const std::string_view unique = property(protocol::property::kUniqKey);
  return unique.empty() ? std::string_view(offset_message_id) : unique;
}

std::string_view Message::tag() const { return property(protocol::property::kTags); }
std::string_view Message::keys() const { return property(protocol::property::kKeys); }

bool Message::has_key(std::string_view key) const {
  std::string_view rest = keys();
  while (!rest.empty()) {
    const std::size_t end = rest.find(' ');
    if (rest.substr(0, end) == key) return true;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return false;
}

Message to_message(const protocol::RecordView& record) {
  Message message;
  message.topic = record.topic;
  message.queue_id = record.queue_id;
  message.queue_offset = record.queue_offset.v;
  message.position = record.position.v;
  message.stored_bytes = static_cast<std::int32_t>(record.total_size);
  message.flag = record.flag;
  message.sys_flag = record.sys_flag;
  message.born_timestamp_ms = record.born_timestamp_ms;
  message.born_host = record.born_host.text();
  message.store_timestamp_ms = record.store_timestamp_ms;
  message.store_host = record.store_host.text();
  message.reconsume_times = record.reconsume_times;
  message.prepared_transaction_offset = record.prepared_transaction_offset;
  message.offset_message_id = protocol::message_id(record.store_host, record.position);
  protocol::for_each_property(record.properties,
                              [&](std::string_view name, std::string_view value) {
                                message.properties.emplace_back(name, value);
                              });
  set_body(record, message);
  return message;
}

Result<std::int64_t> for_each_record(std::string_view records,
                                     const std::function<void(const protocol::RecordView&)>& fn) {
  std::int64_t count = 0;
  while (!records.empty()) {
    const auto record = protocol::decode_record(records);
    if (!record) {
      return make_error(ErrorCode::kCorrupt,
                        fmt::format("record {} of the answer: {}", count, record.error().message));
    }
    fn(*record);
    records.remove_prefix(record->total_size);
    ++count;
  }
  return count;
}

Result<std::vector<Message>> decode_messages(std::string_view records) {
  std::vector<Message> messages;
  const auto count = for_each_record(
      records, [&](const protocol::RecordView& record) { messages.push_back(to_message(record)); });
  if (!count) return std::unexpected(count.error());
  return messages;
}

}  // namespace gantry::client
