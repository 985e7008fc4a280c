// SPDX-License-Identifier: Apache-2.0
// One pull as a request, and what its answer says. Pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/command.h"
#include "protocol/message_queue.h"

namespace gantry::client {

// Tools pull in the name of this group, which every broker has.
inline constexpr std::string_view kToolsGroup = "TOOLS_CONSUMER";

struct PullOptions {
  std::string group = std::string(kToolsGroup);
  std::string expression = "*";
  std::string expression_type = "TAG";
  std::int32_t messages_max = 32;
  // How long the broker may hold a pull that finds nothing; zero: it answers at once.
  std::chrono::milliseconds suspend{15000};
};

protocol::Command pull_request(const PullOptions& options, const protocol::MessageQueue& queue,
                               std::int64_t offset);

struct PullAnswer {
  enum class Kind : std::uint8_t {
    kFound,        // records
    kNothingNew,   // the end of the queue
    kNoneMatched,  // nothing for this subscription up to next_offset
    kOffsetMoved,  // the offset was outside the queue; go on at next_offset
  };
  Kind kind = Kind::kNothingNew;
  std::int64_t next_offset = 0;
  std::int64_t min_offset = 0;
  std::int64_t max_offset = 0;
};

// The records are the answer's body.
Result<PullAnswer> parse_pull_answer(const protocol::Command& answer, std::string_view who);

}  // namespace gantry::client
