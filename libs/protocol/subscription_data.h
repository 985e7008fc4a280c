// SPDX-License-Identifier: Apache-2.0
// SubscriptionData: one topic of a consumer's subscription, and how to build it from text.
// Plain values; no thread rules.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/tags.h"

namespace gantry::protocol {

inline constexpr std::string_view kExpressionTypeTag = "TAG";
inline constexpr std::string_view kExpressionTypeSql92 = "SQL92";
inline constexpr std::string_view kSubscribeAll = "*";

struct SubscriptionData {
  std::string topic;
  std::string sub_string;
  std::set<std::string, std::less<>> tags_set;
  std::set<std::int32_t> code_set;  // java_hash of each tag
  // Unit is the client's own (Java ms, Go ns): compare only within one client.
  std::int64_t sub_version = 0;
  std::string expression_type = std::string(kExpressionTypeTag);
  bool class_filter_mode = false;

  bool operator==(const SubscriptionData&) const = default;
  bool is_tag_type() const { return expression_type == kExpressionTypeTag; }
  bool subscribes_all() const { return is_tag_type() && sub_string == kSubscribeAll; }

  std::string to_json() const;
  static Result<SubscriptionData> from_json(std::string_view body);
};

// From the text of a pull, 46 or POP request. Type "" or TAG: "" or "*" is everything, otherwise
// tags separated by "||". Other types keep the text, which must not be empty. sub_version stays 0.
// Errors: kInvalidArgument (answer SUBSCRIPTION_PARSE_FAILED).
Result<SubscriptionData> build_subscription(std::string_view topic, std::string_view text,
                                            std::string_view expression_type);

}  // namespace gantry::protocol
