// SPDX-License-Identifier: Apache-2.0
// The internal topic whose records carry what is not a message: term starts, state commands and
// memberships of the group.
// Such records are V1 with sysFlag 0xC (so that Apache RocketMQ builds neither queue nor index from
// them), queue offset 0 and no properties but the checksum; the record's flag tells the kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "protocol/record.h"
#include "raft/epoch_table.h"
#include "replog/flush_mode.h"

namespace gantry::replog {

inline constexpr std::string_view kLogTopic = "rmq_sys_GANTRY_LOG";

enum class InternalRecord : std::int32_t { kTermStart = 1, kCommand = 2, kMembership = 3 };

// Body of a term-start record, lines key=value.
struct TermStart {
  Term term;
  std::string leader_uuid;
  FlushMode flush_mode = FlushMode::kAsync;
  // Where the term begins: the record itself, or the blank before it when it heads a new file.
  // -1: written before this was recorded, the record itself.
  LogPosition start{-1};
  LogPosition apache_from{-1};  // >= 0: [apache_from, this record) was written by Apache RocketMQ

  std::string encode() const;
  static Result<TermStart> decode(std::string_view body);
};

// The kind of a record of the internal topic; nullopt: a message.
std::optional<InternalRecord> internal_kind(const protocol::RecordView& record);
// What a term-start record says about epochs: of the Apache range before it, if any, and its own.
std::vector<raft::Epoch> epochs_of(const TermStart& start, LogPosition record_position);

}  // namespace gantry::replog
