// SPDX-License-Identifier: Apache-2.0
#include "protocol/consume_stats.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

template <class F, Is<OffsetWrapper> T>
void describe(F& f, T& t) {
  f("brokerOffset", t.broker_offset);
  f("consumerOffset", t.consumer_offset);
  f("lastTimestamp", t.last_timestamp_ms);
  f("pullOffset", t.pull_offset);
}

template <class F, Is<ConsumeStats> T>
void describe(F& f, T& t) {
  f("consumeTps", t.consume_tps);
  f("offsetTable", t.offset_table);
}

template <class F, Is<ConsumeStatsList> T>
void describe(F& f, T& t) {
  f("brokerAddr", t.broker_addr);
  f("consumeStatsList", t.consume_stats_list);
  f("totalDiff", t.total_diff);
  f("totalInflightDiff", t.total_inflight_diff);
}

std::string ConsumeStats::to_json() const { return encode_body(*this); }

Result<ConsumeStats> ConsumeStats::from_json(std::string_view body) {
  return decode_body<ConsumeStats>("ConsumeStats", body);
}

std::string ConsumeStatsList::to_json() const { return encode_body(*this); }

Result<ConsumeStatsList> ConsumeStatsList::from_json(std::string_view body) {
  return decode_body<ConsumeStatsList>("ConsumeStatsList", body);
}

}  // namespace gantry::protocol
