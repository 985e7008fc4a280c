// SPDX-License-Identifier: Apache-2.0
#include "broker/retention/retention_rules.h"

#include <fmt/core.h>

#include <algorithm>

namespace gantry::broker {

Reach retention_reach(const config::BrokerConfig& config, double used_percent, int hour,
                      bool at_any_hour) {
  if (config.clean_file_forcibly_enable && used_percent >= config.disk_space_clean_forcibly_ratio) {
    return Reach::kOldest;
  }
  const bool due =
      std::ranges::find(config.delete_when, fmt::format("{:02}", hour)) != config.delete_when.end();
  const bool over = used_percent >= config.disk_max_used_space_ratio;
  return over || due || at_any_hour ? Reach::kExpired : Reach::kNothing;
}

bool refuses_messages(const config::BrokerConfig& config, double used_percent) {
  return used_percent >= config.disk_space_warning_level_ratio;
}

}  // namespace gantry::broker
