// SPDX-License-Identifier: Apache-2.0
// The NameServer's configuration while it runs: readable by handlers, changeable by code 318, every
// change stored as a properties file before it takes effect. Belongs to the NameServer's shard.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/namesrv_config.h"
#include "namesrv/persist/persisted_value.h"

namespace gantry::namesrv {

struct SettingChange {
  std::string key;
  std::string value;
};

class Settings {
 public:
  using Done = PersistedValue<config::NamesrvConfig>::Done;

  Settings(config::NamesrvConfig config, FileWriter& writer);

  const config::NamesrvConfig& config() const { return config_.get(); }
  // Called after each change with the new configuration.
  void on_change(std::function<void(const config::NamesrvConfig&)> observer);

  // `key=value` lines as Java's properties. Errors: kInvalidArgument with line.
  static Result<std::vector<SettingChange>> parse(std::string_view properties);
  // Whether all changes could be made now. Errors: kConflict for a key on the black list,
  // kInvalidArgument (naming key and expectation) for an unknown key or a bad value.
  Result<void> check(const std::vector<SettingChange>& changes) const;
  // All of them or none. Same errors as check(), and those of the disk.
  void change(std::vector<SettingChange> changes, Done done);

 private:
  PersistedValue<config::NamesrvConfig> config_;
};

}  // namespace gantry::namesrv
