// SPDX-License-Identifier: Apache-2.0
// How replicated state gets into the log: a command is the body of a record in the internal command
// topic. Implemented by the log; used by libs/state. Everything runs on the log shard.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace gantry::replog {

class CommandLog {
 public:
  using Done = std::move_only_function<void(Result<void>)>;
  virtual ~CommandLog() = default;

  // Appends `body` (a serialised state::proto::Command) as one record, in order with all other
  // appends. `done` runs on the log shard after the record has been committed AND applied, or with
  // an error when it never will be (kDiskFull, kUnavailable). Uses the reserve file when the disk
  // is full, so that trimming stays possible.
  virtual void append_command(std::string body, Done done) = 0;
};

}  // namespace gantry::replog
