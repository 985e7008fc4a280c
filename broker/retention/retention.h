// SPDX-License-Identifier: Apache-2.0
// When old log files may go, by RocketMQ's rules: older than fileReservedTime at the hour
// deleteWhen (or at any hour when the disk is fuller than diskMaxUsedSpaceRatio), regardless of age
// above diskSpaceCleanForciblyRatio; above diskSpaceWarningLevelRatio messages are refused. The
// decision is a replicated trim; files are deleted when it is applied. Leader only, log shard only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "broker/core/context.h"

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
  std::optional<LogPosition> expired_before(std::int64_t oldest_allowed_ms) const;
  bool delete_hour() const;

  BrokerContext& context_;
  bool trim_running_ = false;
  std::unique_ptr<runtime::Timer> timer_;
};

}  // namespace gantry::broker
