// SPDX-License-Identifier: Apache-2.0
// The consumer enums of the heartbeat and of the admin bodies. Values are the Java ordinals, which
// the C++ client sends instead of the names.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace gantry::protocol {

enum class ConsumeType : std::uint8_t { kActively = 0, kPassively = 1, kPop = 2 };
enum class MessageModel : std::uint8_t { kBroadcasting = 0, kClustering = 1 };
enum class ConsumeFromWhere : std::uint8_t {
  kLastOffset = 0,
  kLastOffsetAndFromMinWhenBootFirst = 1,
  kMinOffset = 2,
  kMaxOffset = 3,
  kFirstOffset = 4,
  kTimestamp = 5,
};

// Java names: "CONSUME_PASSIVELY", "CLUSTERING", "CONSUME_FROM_LAST_OFFSET", ...
std::string_view consume_type_name(ConsumeType type);
std::string_view message_model_name(MessageModel model);
std::string_view consume_from_where_name(ConsumeFromWhere where);

// Errors: kCorrupt for an unknown name.
Result<ConsumeType> consume_type_from_name(std::string_view name);
Result<MessageModel> message_model_from_name(std::string_view name);
Result<ConsumeFromWhere> consume_from_where_from_name(std::string_view name);

}  // namespace gantry::protocol
