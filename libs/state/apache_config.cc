// SPDX-License-Identifier: Apache-2.0
#include "state/apache_config.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

namespace gantry::state {
namespace {

constexpr std::string_view kTopicsFile = "topics.json";
constexpr std::string_view kGroupsFile = "subscriptionGroup.json";
constexpr std::string_view kOffsetsFile = "consumerOffset.json";
constexpr std::string_view kDelayFile = "delayOffset.json";
constexpr std::string_view kBackupSuffix = ".bak";

using Parse = Result<void> (*)(std::string_view text, ImportedState& out);

// True: parsed into `out`. False: there is no such file, or it is empty, which is the same.
Result<bool> parse_file(io::FileSystem& fs, const std::string& path, Parse parse,
                        ImportedState& out) {
  auto text = io::read_file(fs, path);
  if (!text && text.error().code == ErrorCode::kNotFound) return false;
  if (!text) return std::unexpected(std::move(text).error());
  if (text->empty()) return false;
  ImportedState parsed = out;  // a damaged file leaves nothing behind
  if (auto result = parse(*text, parsed); !result) {
    return make_error(ErrorCode::kCorrupt, fmt::format("{}: {}", path, result.error().message));
  }
  out = std::move(parsed);
  return true;
}

Result<void> read_with_backup(io::FileSystem& fs, const std::string& path, Parse parse,
                              ApacheConfig& out) {
  const std::string backup = path + std::string(kBackupSuffix);
  auto main_file = parse_file(fs, path, parse, out.state);
  if (main_file && *main_file) return {};
  if (!main_file && main_file.error().code != ErrorCode::kCorrupt) {
    return std::unexpected(std::move(main_file).error());
  }
  const std::string why = main_file
                              ? fmt::format("{} is missing or empty", path)
                              : fmt::format("{} is damaged ({})", path, main_file.error().message);
  auto backup_file = parse_file(fs, backup, parse, out.state);
  if (backup_file && *backup_file) {
    out.notes.push_back(fmt::format("{}; {} was used instead", why, backup));
    return {};
  }
  if (main_file && backup_file) {
    out.notes.push_back(fmt::format("{} and so is its .bak; taken as empty", why));
    return {};
  }
  if (backup_file) return make_error(ErrorCode::kCorrupt, fmt::format("{}; no .bak", why));
  return make_error(backup_file.error().code,
                    fmt::format("{}; its .bak is no help: {}", why, backup_file.error().message));
}

Result<void> write_with_backup(io::FileSystem& fs, const std::string& path,
                               const std::string& text) {
  auto previous = io::read_file(fs, path);
  if (!previous && previous.error().code != ErrorCode::kNotFound) {
    return std::unexpected(std::move(previous).error());
  }
  if (previous && !previous->empty()) {
    GANTRY_TRY(io::write_file_atomically(fs, path + std::string(kBackupSuffix), *previous));
  }
  return io::write_file_atomically(fs, path, text);
}

std::string in(const std::string& directory, std::string_view file) {
  return directory + "/" + std::string(file);
}

}  // namespace

Result<ApacheConfig> read_apache_config(io::FileSystem& fs, const std::string& config_directory) {
  ApacheConfig out;
  GANTRY_TRY(read_with_backup(fs, in(config_directory, kTopicsFile), parse_topics_json, out));
  GANTRY_TRY(
      read_with_backup(fs, in(config_directory, kGroupsFile), parse_subscription_group_json, out));
  GANTRY_TRY(
      read_with_backup(fs, in(config_directory, kOffsetsFile), parse_consumer_offset_json, out));
  GANTRY_TRY(read_with_backup(fs, in(config_directory, kDelayFile), parse_delay_offset_json, out));
  return out;
}

Result<void> write_apache_config(io::FileSystem& fs, const ApacheConfigFiles& files,
                                 const std::string& config_directory) {
  GANTRY_TRY(io::create_directories_durably(fs, config_directory));
  GANTRY_TRY(write_with_backup(fs, in(config_directory, kTopicsFile), files.topics));
  GANTRY_TRY(write_with_backup(fs, in(config_directory, kGroupsFile), files.subscription_group));
  GANTRY_TRY(write_with_backup(fs, in(config_directory, kOffsetsFile), files.consumer_offset));
  return write_with_backup(fs, in(config_directory, kDelayFile), files.delay_offset);
}

}  // namespace gantry::state
