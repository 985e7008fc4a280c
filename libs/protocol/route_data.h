// SPDX-License-Identifier: Apache-2.0
// TopicRouteData: response body of code 105, request body of 217. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/topic_queue_mapping.h"

namespace gantry::protocol {

inline constexpr std::int64_t kMasterBrokerId = 0;

struct QueueData {
  std::string broker_name;
  std::int32_t read_queue_nums = 0;
  std::int32_t write_queue_nums = 0;
  std::int32_t perm = 0;  // kPerm... of topic_config.h
  std::int32_t topic_sys_flag = 0;

  bool operator==(const QueueData&) const = default;
};

struct BrokerData {
  std::string cluster;
  std::string broker_name;
  std::map<std::int64_t, std::string> broker_addrs;  // broker id -> "ip:port"
  std::optional<std::string> zone_name;
  bool enable_acting_master = false;

  bool operator==(const BrokerData&) const = default;
};

struct TopicRouteData {
  std::optional<std::string> order_topic_conf;
  std::vector<QueueData> queue_datas;
  std::vector<BrokerData> broker_datas;
  std::map<std::string, std::vector<std::string>, std::less<>> filter_server_table;
  // broker name -> mapping; only static topics of Java brokers have it
  std::optional<std::map<std::string, TopicQueueMappingInfo, std::less<>>>
      topic_queue_mapping_by_broker;

  bool operator==(const TopicRouteData&) const = default;

  // Without whitespace and with quoted integer keys: the one form every client can read.
  std::string to_json() const;
  // Also accepts bare integer keys, as Java writes them.
  static Result<TopicRouteData> from_json(std::string_view body);
};

}  // namespace gantry::protocol
