// SPDX-License-Identifier: Apache-2.0
// HARuntimeInfo: response body of GET_BROKER_HA_STATUS (907).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gantry::protocol {

struct HAConnectionRuntimeInfo {
  std::string addr;
  std::int64_t slave_ack_offset = 0;
  std::int64_t diff = 0;  // bytes behind the master
  bool in_sync = false;
  std::int64_t transferred_bytes_per_second = 0;
  std::int64_t transfer_from_where = 0;

  bool operator==(const HAConnectionRuntimeInfo&) const = default;
};

struct HAClientRuntimeInfo {
  std::optional<std::string> master_addr;
  std::int64_t transferred_bytes_per_second = 0;
  std::int64_t max_offset = 0;
  std::int64_t last_read_timestamp_ms = 0;
  std::int64_t last_write_timestamp_ms = 0;
  std::int64_t master_flush_offset = 0;

  bool operator==(const HAClientRuntimeInfo&) const = default;
};

struct HARuntimeInfo {
  bool master = false;
  std::int64_t master_commit_log_max_offset = 0;
  std::int32_t in_sync_slave_nums = 0;
  std::vector<HAConnectionRuntimeInfo> connections;  // wire name: haConnectionInfo
  HAClientRuntimeInfo client;                        // wire name: haClientRuntimeInfo

  bool operator==(const HARuntimeInfo&) const = default;

  std::string to_json() const;
  static Result<HARuntimeInfo> from_json(std::string_view body);
};

}  // namespace gantry::protocol
