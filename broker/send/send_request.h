// SPDX-License-Identifier: Apache-2.0
// The header of a send, from either spelling: full names (code 10) or single letters (310, 320).
// Views into the request.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "protocol/command.h"

namespace gantry::broker {

struct SendRequest {
  std::string_view producer_group;
  std::string_view topic;
  std::string_view default_topic;
  std::int32_t default_topic_queue_nums = 0;
  std::int32_t queue_id = 0;
  std::int32_t sys_flag = 0;
  std::int64_t born_timestamp_ms = 0;
  std::int32_t flag = 0;
  std::string_view properties;
  std::int32_t reconsume_times = 0;
  bool unit_mode = false;
  std::optional<std::int32_t> max_reconsume_times;
  bool batch = false;

  // kInvalidArgument names the first field that is missing or not a number.
  static Result<SendRequest> parse(const protocol::CommandView& request);
};

}  // namespace gantry::broker
