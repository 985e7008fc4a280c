// SPDX-License-Identifier: Apache-2.0
#include "broker/retention/retention.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "broker/transaction/transactions.h"
#include "io/file_system.h"
#include "log/log.h"

namespace gantry::broker {
namespace {

log::Logger logger("retention");
constexpr std::chrono::milliseconds kPeriod{10000};
constexpr std::int64_t kMsPerHour = 3600 * 1000;
// The last record of a file begins at most this far before its end: a record did not fit behind it.
constexpr std::int64_t kRecordOverheadBytes = 64 << 10;

int local_hour(const Clock& clock) {
  const std::time_t now = clock.wall_ms() / 1000;
  std::tm local{};
  localtime_r(&now, &local);
  return local.tm_hour;
}

}  // namespace

void Retention::start() {
  run(false);
  timer_ = context_.shard.every(kPeriod, [this] { run(false); });
}

double Retention::disk_ratio() const {
  const auto space = context_.files.space(context_.config.store_path_commit_log);
  if (!space || space->total_bytes <= 0) return -1;
  return 1.0 -
         static_cast<double>(space->available_bytes) / static_cast<double>(space->total_bytes);
}

void Retention::refuse_messages_if_full(double used_percent) {
  replog::Log& log = context_.storage.log();
  const bool full = refuses_messages(context_.config, used_percent);
  if (full != log.disk_full()) {
    logger.warn("{} messages: disk used {:.1f} %, diskSpaceWarningLevelRatio {} %",
                full ? "refusing" : "accepting", used_percent,
                context_.config.disk_space_warning_level_ratio);
  }
  log.set_disk_full(full);
}

void Retention::run(bool at_any_hour) {
  const config::BrokerConfig& c = context_.config;
  const double used_percent = disk_ratio() * 100;
  refuse_messages_if_full(used_percent);
  if (running_) asked_ = asked_ || at_any_hour;
  if (running_ || !context_.storage.leading()) return;
  Round round;
  round.reach = retention_reach(c, used_percent, local_hour(context_.clock), at_any_hour);
  if (round.reach == Reach::kNothing) return;
  round.oldest_allowed_ms = context_.clock.wall_ms() - c.file_reserved_time_hours * kMsPerHour;
  running_ = true;
  look_up(context_.storage.log(), [this, round](LogLookup& lookup) {
    const LogPosition file = first_not_followed_by_old(lookup, round);
    if (lookup.complete()) check_last_message(file, round);
  });
}

bool Retention::complete(LogPosition file) const {
  const replog::Log& log = context_.storage.log();
  const LogPosition next = file + log.file_bytes();
  return next + log.file_bytes() <= log.files_end() && next < log.committed();
}

// Messages are in the order of their store times: what precedes an old message is old.
LogPosition Retention::first_not_followed_by_old(LogLookup& lookup, const Round& round) const {
  const replog::Log& log = context_.storage.log();
  LogPosition file = log.begin();
  while (complete(file)) {
    const LogPosition next = file + log.file_bytes();
    const auto first_ms = lookup.store_time_ms(next);
    if (!first_ms || *first_ms >= round.oldest_allowed_ms) break;
    file = next;
  }
  return file;
}

// Between a file's last message and the next file's first one may lie days without traffic.
void Retention::check_last_message(LogPosition file, const Round& round) {
  if (!complete(file)) return finish(file, round);
  replog::Log& log = context_.storage.log();
  const LogPosition next = file + log.file_bytes();
  if (last_message_ && last_message_->file == file) {
    const auto& store_ms = last_message_->store_ms;
    return finish(store_ms && *store_ms < round.oldest_allowed_ms ? next : file, round);
  }
  const std::int64_t tail =
      std::min(log.file_bytes(), 2 * (context_.config.max_message_size + kRecordOverheadBytes));
  log.fetch(next - tail, static_cast<std::size_t>(tail), [this, file, round] {
    if (context_.storage.log().begin() > file) return finish(file, round);  // gone meanwhile
    last_message_ = {file, scan_last_message_ms(file)};
    check_last_message(file, round);
  });
}

// After a fetch, so from memory.
std::optional<std::int64_t> Retention::scan_last_message_ms(LogPosition file) const {
  const replog::Log& log = context_.storage.log();
  replog::EpochTable epochs = log.epochs();
  replog::ScanOptions options;
  options.to = file + log.file_bytes();
  options.from =
      std::max(file, options.to - 2 * (context_.config.max_message_size + kRecordOverheadBytes));
  const auto scan = log.scan(options, epochs, {});
  if (!scan || scan->records == 0) return std::nullopt;
  return scan->last_store_timestamp_ms;
}

void Retention::end_round() {
  running_ = false;
  if (std::exchange(asked_, false)) run(true);
}

void Retention::finish(LogPosition keep, const Round& round) {
  replog::Log& log = context_.storage.log();
  if (keep <= log.begin() && round.reach == Reach::kOldest && complete(log.begin())) {
    keep = log.begin() + log.file_bytes();
  }
  if (keep <= log.begin()) return end_round();
  if (context_.transactions == nullptr || !context_.transactions->oldest_before(keep)) {
    return trim(keep);
  }
  context_.transactions->give_up_before(keep, [this, keep, round] {
    const LogPosition allowed = spare_transactions(keep, round);
    if (allowed <= context_.storage.log().begin()) return end_round();
    trim(allowed);
  });
}

LogPosition Retention::spare_transactions(LogPosition keep, const Round& round) const {
  const auto oldest = context_.transactions->oldest_before(keep);
  if (!oldest) return keep;
  if (round.reach == Reach::kOldest) {
    logger.warn("transactions that are open before {} are lost: the disk is full", keep.v);
    return keep;
  }
  const replog::Log& log = context_.storage.log();
  return log.begin() + (*oldest - log.begin()) / log.file_bytes() * log.file_bytes();
}

void Retention::trim(LogPosition keep) {
  logger.info("log files before {} may be deleted disk_used={:.1f}", keep.v, disk_ratio() * 100);
  context_.storage.propose_trim(keep, [this](const Result<void>& done) {
    if (!done) logger.warn("the trim was refused: {}", done.error().message);
    end_round();
  });
}

}  // namespace gantry::broker
