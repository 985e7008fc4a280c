// SPDX-License-Identifier: Apache-2.0
#include "cli/message_output.h"

#include <fmt/core.h>

#include "cli/json_output.h"
#include "cli/table.h"
#include "cli/text.h"
#include "protocol/record.h"

namespace gantry::cli {
namespace {

std::string_view transaction_text(std::int32_t sys_flag) {
  switch (sys_flag & protocol::sys_flag::kTransactionMask) {
    case protocol::sys_flag::kTransactionPrepared:
      return "prepared";
    case protocol::sys_flag::kTransactionCommit:
      return "committed";
    case protocol::sys_flag::kTransactionRollback:
      return "rolled back";
    default:
      return "none";
  }
}

}  // namespace

nlohmann::ordered_json message_json(const client::Message& message) {
  Json properties = Json::object();
  for (const auto& [name, value] : message.properties) properties[name] = value;
  Json json = {{"topic", message.topic},
               {"queue", message.queue_id},
               {"offset", message.queue_offset},
               {"id", message.id()},
               {"offsetId", message.offset_message_id},
               {"tag", message.tag()},
               {"keys", message.keys()},
               {"position", message.position},
               {"storedBytes", message.stored_bytes},
               {"flag", message.flag},
               {"sysFlag", message.sys_flag},
               {"reconsumeTimes", message.reconsume_times},
               {"bornMs", message.born_timestamp_ms},
               {"bornHost", message.born_host},
               {"storedMs", message.store_timestamp_ms},
               {"storeHost", message.store_host},
               {"properties", properties},
               {"bodyBytes", message.body.size()}};
  if (!message.body_crc_valid) json["bodyCrcValid"] = false;
  if (!message.body_error.empty()) json["bodyError"] = message.body_error;
  if (is_utf8(message.body)) {
    json["body"] = message.body;
  } else {
    json["bodyBase64"] = base64(message.body);
  }
  return json;
}

std::string message_details(const client::Message& message) {
  Fields fields;
  fields.add("Message", std::string(message.id()));
  fields.add("Offset id", message.offset_message_id);
  fields.add("Topic", message.topic);
  fields.add("Queue", std::to_string(message.queue_id));
  fields.add("Offset", std::to_string(message.queue_offset));
  fields.add("Tag", std::string(message.tag()));
  fields.add("Keys", std::string(message.keys()));
  fields.add("Born",
             fmt::format("{} at {}", format_time(message.born_timestamp_ms), message.born_host));
  fields.add("Stored",
             fmt::format("{} at {}", format_time(message.store_timestamp_ms), message.store_host));
  fields.add("Log position", fmt::format("{}, {} bytes", message.position, message.stored_bytes));
  fields.add("Retries", std::to_string(message.reconsume_times));
  fields.add("Transaction", std::string(transaction_text(message.sys_flag)));
  for (const auto& [name, value] : message.properties) fields.add("Property " + name, value);
  fields.add("Body", format_bytes(static_cast<double>(message.body.size())));
  if (!message.body_crc_valid) fields.add("Body checksum", "WRONG");
  if (!message.body_error.empty()) fields.add("Body shown packed", message.body_error);
  return fields.text() + '\n' + printable(message.body) + '\n';
}

std::string message_line(const client::Message& message, const std::string& broker_name) {
  std::string line = fmt::format("{} {}:{} @{}", format_time(message.store_timestamp_ms),
                                 broker_name, message.queue_id, message.queue_offset);
  if (!message.tag().empty()) line += fmt::format(" tag={}", message.tag());
  if (!message.keys().empty()) line += fmt::format(" keys={}", message.keys());
  return printable(fmt::format("{}  {}", line, message.body));
}

}  // namespace gantry::cli
