// SPDX-License-Identifier: Apache-2.0
#include "protocol/ha_runtime_info.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

template <class F, Is<HAConnectionRuntimeInfo> T>
void describe(F& f, T& t) {
  f("addr", t.addr);
  f("diff", t.diff);
  f("inSync", t.in_sync);
  f("slaveAckOffset", t.slave_ack_offset);
  f("transferFromWhere", t.transfer_from_where);
  f("transferredByteInSecond", t.transferred_bytes_per_second);
}

template <class F, Is<HAClientRuntimeInfo> T>
void describe(F& f, T& t) {
  f("lastReadTimestamp", t.last_read_timestamp_ms);
  f("lastWriteTimestamp", t.last_write_timestamp_ms);
  f("masterAddr", t.master_addr);
  f("masterFlushOffset", t.master_flush_offset);
  f("maxOffset", t.max_offset);
  f("transferredByteInSecond", t.transferred_bytes_per_second);
}

template <class F, Is<HARuntimeInfo> T>
void describe(F& f, T& t) {
  f("haClientRuntimeInfo", t.client);
  f("haConnectionInfo", t.connections);
  f("inSyncSlaveNums", t.in_sync_slave_nums);
  f("master", t.master);
  f("masterCommitLogMaxOffset", t.master_commit_log_max_offset);
}

std::string HARuntimeInfo::to_json() const { return encode_body(*this); }

Result<HARuntimeInfo> HARuntimeInfo::from_json(std::string_view body) {
  return decode_body<HARuntimeInfo>("HARuntimeInfo", body);
}

}  // namespace gantry::protocol
