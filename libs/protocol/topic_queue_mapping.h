// SPDX-License-Identifier: Apache-2.0
// TopicQueueMappingInfo: which broker owns which logical queue of a static topic. Gantry has no
// static topics; the type exists so that a NameServer passes on what Java brokers register.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::protocol {

struct TopicQueueMappingInfo {
  std::string topic;
  std::string scope = "__global__";
  std::string broker_name;  // wire name: bname
  std::int32_t total_queues = 0;
  std::int64_t epoch = 0;
  bool dirty = false;
  std::map<std::int32_t, std::int32_t> curr_id_map;  // logical queue id -> physical queue id

  bool operator==(const TopicQueueMappingInfo&) const = default;

  std::string to_json() const;
  static Result<TopicQueueMappingInfo> from_json(std::string_view body);
};

}  // namespace gantry::protocol
