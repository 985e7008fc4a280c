// SPDX-License-Identifier: Apache-2.0
// What a handler wants to know of the log, without waiting for the disk on the shard. Such a
// handler is written as a pass: it asks for what it needs; what is not in memory is noted, fetched
// by the cold reader, and the pass runs again, until everything it asked for was there. What was
// found stays known, so that every pass gets further.
//
// Log shard only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "base/types.h"
#include "broker/core/context.h"
#include "protocol/command.h"
#include "replog/log.h"

namespace gantry::broker {

class LogLookup {
 public:
  explicit LogLookup(replog::Log& log) : log_(log) {}

  // False: something was not in memory; the pass must have no effect, and comes again.
  bool complete() const { return missing_.empty(); }

  // Store time of the record there; nullopt: none, it cannot be read, or not complete().
  std::optional<std::int64_t> store_time_ms(LogPosition position);
  // The record's bytes, verified. kNotFound, kCorrupt, or kBusy if not complete().
  Result<std::string> record(LogPosition position);

 private:
  friend void look_up(replog::Log& log, std::move_only_function<void(LogLookup&)> pass);
  struct Round;
  static void run(std::shared_ptr<Round> round);
  // Whether to fetch: a range that was fetched several times and is still not there cannot be read.
  bool note(const replog::Log::Missing& missing);

  replog::Log& log_;
  std::map<LogPosition, std::optional<std::int64_t>> times_;
  std::map<LogPosition, Result<std::string>> records_;
  std::map<replog::Log::Missing, int> fetched_;  // how often
  std::set<replog::Log::Missing> missing_;
};

// Runs `pass` now, and again after each fetch, until it finds complete() to be true. Passes are
// dropped when the log closes.
void look_up(replog::Log& log, std::move_only_function<void(LogLookup&)> pass);

// Answers a request with what the last run of `answer` returns. `request` is gone by then.
void answer_from_log(BrokerContext& context, net::Connection& connection,
                     const protocol::CommandView& request,
                     std::move_only_function<protocol::Command(LogLookup&)> answer);

}  // namespace gantry::broker
