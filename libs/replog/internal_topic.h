// SPDX-License-Identifier: Apache-2.0
// The internal topic whose records carry what is not a message: term starts and state commands.
// Such records are V1 with sysFlag 0xC (so that Apache RocketMQ builds neither queue nor index from
// them), queue offset 0 and no properties but the checksum; the record's flag tells the kind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/types.h"
#include "replog/commit_rule.h"

namespace gantry::replog {

inline constexpr std::string_view kLogTopic = "rmq_sys_GANTRY_LOG";

enum class InternalRecord : std::int32_t { kTermStart = 1, kCommand = 2 };

// Body of a term-start record, lines key=value.
struct TermStart {
  Term term;
  std::string leader_uuid;
  FlushMode flush_mode = FlushMode::kAsync;
  LogPosition apache_from{-1};  // >= 0: [apache_from, this record) was written by Apache RocketMQ

  std::string encode() const;
  static Result<TermStart> decode(std::string_view body);
};

}  // namespace gantry::replog
