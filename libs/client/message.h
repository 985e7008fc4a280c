// SPDX-License-Identifier: Apache-2.0
// A message as an application sees it, decoded from the stored records that pulls, queries and
// views answer with. Plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "protocol/record.h"

namespace gantry::client {

struct Message {
  std::string topic;
  std::int32_t queue_id = 0;
  std::int64_t queue_offset = 0;
  std::int64_t position = 0;  // in the CommitLog
  std::int32_t stored_bytes = 0;
  std::int32_t flag = 0;
  std::int32_t sys_flag = 0;
  std::int64_t born_timestamp_ms = 0;
  std::string born_host;  // "ip:port"
  std::int64_t store_timestamp_ms = 0;
  std::string store_host;  // "ip:port"
  std::int32_t reconsume_times = 0;
  std::int64_t prepared_transaction_offset = 0;
  std::string offset_message_id;  // where it is stored
  std::vector<std::pair<std::string, std::string>> properties;
  std::string body;        // unpacked
  std::string body_error;  // why a compressed body is shown packed; empty: it is not
  bool body_crc_valid = true;

  // "" when absent.
  std::string_view property(std::string_view name) const;
  // The client's unique id; messages without one are known by their offset id.
  std::string_view id() const;
  std::string_view tag() const;
  std::string_view keys() const;
  bool has_key(std::string_view key) const;
};

Message to_message(const protocol::RecordView& record);

// All records of an answer's body, in order. kCorrupt names the record that does not decode.
Result<std::vector<Message>> decode_messages(std::string_view records);
// The same without copying; returns how many there were.
Result<std::int64_t> for_each_record(std::string_view records,
                                     const std::function<void(const protocol::RecordView&)>& fn);

}  // namespace gantry::client
