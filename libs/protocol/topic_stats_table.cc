// SPDX-License-Identifier: Apache-2.0
#include "protocol/topic_stats_table.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

template <class F, Is<TopicOffset> T>
void describe(F& f, T& t) {
  f("lastUpdateTimestamp", t.last_update_timestamp_ms);
  f("maxOffset", t.max_offset);
  f("minOffset", t.min_offset);
}

template <class F, Is<TopicStatsTable> T>
void describe(F& f, T& t) {
  f("offsetTable", t.offset_table);
  f("topicPutTps", t.topic_put_tps);
}

std::string TopicStatsTable::to_json() const { return encode_body(*this); }

Result<TopicStatsTable> TopicStatsTable::from_json(std::string_view body) {
  return decode_body<TopicStatsTable>("TopicStatsTable", body);
}

}  // namespace gantry::protocol
