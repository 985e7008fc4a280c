// SPDX-License-Identifier: Apache-2.0
// Response body of VIEW_BROKER_STATS_DATA (315).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::protocol {

struct BrokerStatsItem {
  std::int64_t sum = 0;
  double tps = 0;
  double avgpt = 0;  // sum per recorded event

  bool operator==(const BrokerStatsItem&) const = default;
};

struct BrokerStatsData {
  BrokerStatsItem stats_minute;
  BrokerStatsItem stats_hour;
  BrokerStatsItem stats_day;

  bool operator==(const BrokerStatsData&) const = default;

  std::string to_json() const;
  static Result<BrokerStatsData> from_json(std::string_view body);
};

}  // namespace gantry::protocol
