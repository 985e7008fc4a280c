// SPDX-License-Identifier: Apache-2.0
// When old log files may go, by RocketMQ's rules: older than fileReservedTime at the hour
// deleteWhen (or at any hour when the disk is fuller than diskMaxUsedSpaceRatio), regardless of age
// above diskSpaceCleanForciblyRatio; above diskSpaceWarningLevelRatio messages are refused. A file
// is old when its last message is; the file that is being written, and the one before if the log
// goes on in an empty one, always stay. Transactions that are open in what goes are given up
// before: their messages move to TRANS_CHECK_MAX_TIME_TOPIC. The decision is a replicated trim;
// files are deleted when it is applied. Leader only, log shard only; never waits for the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "broker/core/context.h"
#include "broker/core/log_lookup.h"
#include "broker/retention/retention_rules.h"

namespace gantry::broker {

class Retention {
 public:
  explicit Retention(BrokerContext& context) : context_(context) {}
  void start();
  void stop() { timer_.reset(); }

  // One round. `at_any_hour` (code 329): expired files go now.
  void run(bool at_any_hour);
  // Used part of the log's disk, 0 to 1; -1: unknown.
  double disk_ratio() const;

 private:
  // One search for what may go: begun by run(), ends in finish().
  struct Round {
    std::int64_t oldest_allowed_ms = 0;
    Reach reach = Reach::kNothing;
  };
  void refuse_messages_if_full(double used_percent);
  // Whether the file that begins there is complete and another with messages follows.
  bool complete(LogPosition file) const;
  // The first file whose successor begins with a message that is not old.
  LogPosition first_not_followed_by_old(LogLookup& lookup, const Round& round) const;
  void check_last_message(LogPosition file, const Round& round);
  std::optional<std::int64_t> scan_last_message_ms(LogPosition file) const;
  void finish(LogPosition keep, const Round& round);
  // Half messages without an outcome do not vanish with their file.
  LogPosition spare_transactions(LogPosition keep, const Round& round) const;
  void trim(LogPosition keep);

  // Store time of the last message of a complete file, found by reading its end once.
  struct LastMessage {
    LogPosition file;
    std::optional<std::int64_t> store_ms;
  };

  BrokerContext& context_;
  void end_round();

  bool running_ = false;  // a round or its trim
  bool asked_ = false;    // somebody asked for a round meanwhile; it follows
  std::optional<LastMessage> last_message_;
  std::unique_ptr<runtime::Timer> timer_;
};

}  // namespace gantry::broker
