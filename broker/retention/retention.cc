// SPDX-License-Identifier: Apache-2.0
#include "broker/retention/retention.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>

#include "io/file_system.h"
#include "log/log.h"

namespace gantry::broker {
namespace {

log::Logger logger("retention");
constexpr std::chrono::milliseconds kPeriod{10000};
constexpr std::int64_t kMsPerHour = 3600 * 1000;

}  // namespace

void Retention::start() {
  run(false);
  timer_ = context_.shard.every(kPeriod, [this] { run(false); });
}

double Retention::disk_ratio() const {
  const auto space = io::posix_file_system().space(context_.config.store_path_commit_log);
  if (!space || space->total_bytes <= 0) return -1;
  return 1.0 -
         static_cast<double>(space->available_bytes) / static_cast<double>(space->total_bytes);
}

bool Retention::delete_hour() const {
  const std::time_t now = context_.clock.wall_ms() / 1000;
  std::tm local{};
  localtime_r(&now, &local);
  const std::string hour = fmt::format("{:02}", local.tm_hour);
  return std::ranges::find(context_.config.delete_when, hour) != context_.config.delete_when.end();
}

// The begin of the first file that must stay: a file's last message is as old as the first one of
// the file behind it.
std::optional<LogPosition> Retention::expired_before(std::int64_t oldest_allowed_ms) const {
  const replog::Log& log = context_.storage.log();
  LogPosition keep = log.begin();
  for (LogPosition next = log.begin() + log.file_bytes();
       next + log.file_bytes() <= log.files_end() && next < log.committed();
       next += log.file_bytes()) {
    const auto first_ms = log.read_store_time_ms(next);
    if (!first_ms || *first_ms >= oldest_allowed_ms) break;
    keep = next;
  }
  if (keep == log.begin()) return std::nullopt;
  return keep;
}

void Retention::run(bool at_any_hour) {
  const config::BrokerConfig& c = context_.config;
  replog::Log& log = context_.storage.log();
  const double used = disk_ratio() * 100;
  const bool was_full = log.disk_full();
  const bool full = used >= c.disk_space_warning_level_ratio;
  log.set_disk_full(full);
  if (full != was_full) {
    logger.warn("{} messages: disk used {:.1f} %, diskSpaceWarningLevelRatio {} %",
                full ? "refusing" : "accepting", used, c.disk_space_warning_level_ratio);
  }
  if (trim_running_ || !context_.storage.leading()) return;
  const bool over = used >= c.disk_max_used_space_ratio;
  const bool force = c.clean_file_forcibly_enable && used >= c.disk_space_clean_forcibly_ratio;
  if (!over && !at_any_hour && !delete_hour()) return;
  std::optional<LogPosition> before =
      expired_before(context_.clock.wall_ms() - c.file_reserved_time_hours * kMsPerHour);
  if (!before && force) {
    // The oldest file, whatever its age; the current one stays.
    const LogPosition second = log.begin() + log.file_bytes();
    if (second < log.committed()) before = second;
  }
  if (!before) return;
  logger.info("log files before {} may be deleted disk_used={:.1f}", before->v, used);
  trim_running_ = true;
  context_.storage.propose_trim(*before, [this](const Result<void>& done) {
    trim_running_ = false;
    if (!done) logger.warn("the trim was refused: {}", done.error().message);
  });
}

}  // namespace gantry::broker
