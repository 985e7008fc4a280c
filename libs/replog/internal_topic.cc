// SPDX-License-Identifier: Apache-2.0
#include "replog/internal_topic.h"

#include "replog/key_value_text.h"

namespace gantry::replog {

std::string TermStart::encode() const {
  KeyValueText text;
  text.set("term", term.v);
  text.set("leader", leader_uuid);
  text.set("flushDiskType", flush_mode == FlushMode::kSync ? "SYNC_FLUSH" : "ASYNC_FLUSH");
  if (start.v >= 0) text.set("start", start.v);
  if (apache_from.v >= 0) text.set("apacheFrom", apache_from.v);
  return text.text();
}

Result<TermStart> TermStart::decode(std::string_view body) {
  const KeyValueText text = KeyValueText::parse(body);
  TermStart start;
  start.term = Term(text.get_int("term", -1));
  start.leader_uuid = text.get("leader");
  start.flush_mode =
      text.get("flushDiskType") == "SYNC_FLUSH" ? FlushMode::kSync : FlushMode::kAsync;
  start.start = LogPosition(text.get_int("start", -1));
  start.apache_from = LogPosition(text.get_int("apacheFrom", -1));
  if (start.term.v <= 0 || start.leader_uuid.empty()) {
    return make_error(ErrorCode::kCorrupt, "term-start record without term or leader");
  }
  return start;
}

std::optional<InternalRecord> internal_kind(const protocol::RecordView& record) {
  if (record.topic != kLogTopic ||
      record.transaction_type() != protocol::sys_flag::kTransactionRollback) {
    return std::nullopt;
  }
  return static_cast<InternalRecord>(record.flag);
}

std::vector<raft::Epoch> epochs_of(const TermStart& start, LogPosition record_position) {
  std::vector<raft::Epoch> epochs;
  if (start.apache_from.v >= 0 && start.apache_from < record_position) {
    epochs.push_back({Term(start.term.v - 1), start.apache_from, true});
  }
  const bool known = start.start.v >= 0 && start.start <= record_position;
  epochs.push_back({start.term, known ? start.start : record_position, false});
  return epochs;
}

}  // namespace gantry::replog
