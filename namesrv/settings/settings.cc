// SPDX-License-Identifier: Apache-2.0
#include "namesrv/settings/settings.h"

#include <set>
#include <string>
#include <utility>

#include "config/source.h"

namespace gantry::namesrv {
namespace {

// What is stored: keys that mean something here, and those somebody set. Code 319 also shows
// RocketMQ's other keys with their defaults; stored, they would only make warnings at the next
// start.
std::string encode(const config::NamesrvConfig& config) {
  std::set<std::string, std::less<>> stored;
  for (const auto& option : config::namesrv_options()) stored.emplace(option.key);
  for (const auto& [key, value] : config.kept) stored.insert(key);
  std::string out;
  const auto all = config::parse_properties(config::to_properties_text(config));
  if (!all) return config::to_properties_text(config);
  for (const auto& entry : *all) {
    if (stored.contains(entry.key)) config::append_property(out, entry.key, entry.value);
  }
  return out;
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
