// SPDX-License-Identifier: Apache-2.0
// The header of END_TRANSACTION (37). A copy: the request may wait.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/types.h"
#include "broker/transaction/transaction_ender.h"
#include "protocol/command.h"

namespace gantry::broker {

struct EndRequest {
  std::string producer_group;
  std::string message_id;
  LogPosition half;
  QueueOffset half_offset;
  std::optional<TransactionEnd> how;  // nullopt: the producer does not know yet
  bool from_check = false;

  // kInvalidArgument names the first field that is missing or illegal.
  static Result<EndRequest> parse(const protocol::CommandView& request);
};

}  // namespace gantry::broker
