// SPDX-License-Identifier: Apache-2.0
#include "broker/transaction/end_request.h"

#include <fmt/core.h>

#include "protocol/record.h"

namespace gantry::broker {
namespace {

Error missing(std::string_view field) {
  return {ErrorCode::kInvalidArgument, fmt::format("the custom field <{}> is null", field)};
}

Result<std::int64_t> number(const protocol::CommandView& request, std::string_view field) {
  if (!request.ext.find(field)) return std::unexpected(missing(field));
  const auto value = request.ext.get_int64(field);
  if (value) return *value;
  return make_error(
      ErrorCode::kInvalidArgument,
      fmt::format("header field <{}> is not a number: '{}'", field, request.ext.get(field)));
}

}  // namespace

Result<EndRequest> EndRequest::parse(const protocol::CommandView& request) {
  EndRequest end;
  if (!request.ext.find("producerGroup")) return std::unexpected(missing("producerGroup"));
  end.producer_group = request.ext.get("producerGroup");
  const auto half_offset = number(request, "tranStateTableOffset");
  if (!half_offset) return std::unexpected(half_offset.error());
  end.half_offset = QueueOffset(*half_offset);
  const auto half = number(request, "commitLogOffset");
  if (!half) return std::unexpected(half.error());
  end.half = LogPosition(*half);
  const auto how = number(request, "commitOrRollback");
  if (!how) return std::unexpected(how.error());
  if (!request.ext.find("msgId")) return std::unexpected(missing("msgId"));
  end.message_id = request.ext.get("msgId");
  end.from_check = request.ext.get_bool("fromTransactionCheck", false);
  if (*how == protocol::sys_flag::kTransactionCommit) {
    end.how = TransactionEnd::kCommit;
  } else if (*how == protocol::sys_flag::kTransactionRollback) {
    end.how = TransactionEnd::kRollback;
  } else if (*how != 0) {
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("commitOrRollback field wrong: {}", *how));
  }
  return end;
}

}  // namespace gantry::broker
