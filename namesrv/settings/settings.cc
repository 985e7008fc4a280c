// SPDX-License-Identifier: Apache-2.0
#include "namesrv/settings/settings.h"

#include <utility>

#include "config/source.h"

namespace gantry::namesrv {
namespace {

std::string encode(const config::NamesrvConfig& config) {
  return config::to_properties_text(config);
}

Error unknown_key(const std::string& key) {
  std::vector<std::string_view> known;
  for (const auto& option : config::namesrv_options()) known.push_back(option.key);
  const auto nearest = config::nearest_key(key, known);
  std::string text = "unknown key '" + key + "'";
  if (!nearest.empty()) text += "; did you mean '" + std::string(nearest) + "'?";
  return Error{ErrorCode::kInvalidArgument, std::move(text)};
}

Result<void> apply(config::NamesrvConfig& config, const std::vector<SettingChange>& changes) {
  for (const auto& [key, value] : changes) {
    const auto updated = config::update(config, key, value);
    if (!updated) return std::unexpected(updated.error());
    switch (*updated) {
      case config::Updated::kLive:
      case config::Updated::kRestart:
      case config::Updated::kIgnored:
        break;
      case config::Updated::kUnknown:
        return std::unexpected(unknown_key(key));
      case config::Updated::kRefused:
        return make_error(ErrorCode::kConflict, "Can not update config in black list.");
    }
  }
  return {};
}

}  // namespace

Settings::Settings(config::NamesrvConfig config, FileWriter& writer)
    : config_(config, config.config_store_path, encode, writer) {}

void Settings::on_change(std::function<void(const config::NamesrvConfig&)> observer) {
  config_.on_change(std::move(observer));
}

Result<std::vector<SettingChange>> Settings::parse(std::string_view properties) {
  auto entries = config::parse_properties(properties);
  if (!entries) return std::unexpected(std::move(entries).error());
  std::vector<SettingChange> out;
  out.reserve(entries->size());
  for (auto& entry : *entries) out.push_back({std::move(entry.key), std::move(entry.value)});
  return out;
}

Result<void> Settings::check(const std::vector<SettingChange>& changes) const {
  config::NamesrvConfig trial = config_.get();
  return apply(trial, changes);
}

void Settings::change(std::vector<SettingChange> changes, Done done) {
  config_.change([changes = std::move(changes)](
                     config::NamesrvConfig& config) { return apply(config, changes); },
                 std::move(done));
}

}  // namespace gantry::namesrv
