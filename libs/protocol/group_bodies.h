// SPDX-License-Identifier: Apache-2.0
// Small bodies about one group: 345 (its subscription), 353 (forbidden topics), 308 (correction
// offsets).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/subscription_data.h"

namespace gantry::protocol {

struct QuerySubscriptionResponse {
  std::string group;
  std::string topic;
  std::optional<SubscriptionData> subscription_data;  // absent when the group is offline

  bool operator==(const QuerySubscriptionResponse&) const = default;

  std::string to_json() const;
  static Result<QuerySubscriptionResponse> from_json(std::string_view body);
};

struct GroupForbidden {
  std::string group;
  std::string topic;
  bool readable = true;

  bool operator==(const GroupForbidden&) const = default;

  std::string to_json() const;
  static Result<GroupForbidden> from_json(std::string_view body);
};

struct QueryCorrectionOffsetBody {
  std::map<std::int32_t, std::int64_t> correction_offsets;  // by queue id

  bool operator==(const QueryCorrectionOffsetBody&) const = default;

  std::string to_json() const;
  static Result<QueryCorrectionOffsetBody> from_json(std::string_view body);
};

}  // namespace gantry::protocol
