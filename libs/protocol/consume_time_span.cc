// SPDX-License-Identifier: Apache-2.0
#include "protocol/consume_time_span.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

template <class F, Is<QueueTimeSpan> T>
void describe(F& f, T& t) {
  f("consumeTimeStamp", t.consume_timestamp_ms);
  f("delayTime", t.delay_time_ms);
  f("maxTimeStamp", t.max_timestamp_ms);
  f("messageQueue", t.message_queue);
  f("minTimeStamp", t.min_timestamp_ms);
}

template <class F, Is<QueryConsumeTimeSpan> T>
void describe(F& f, T& t) {
  f("consumeTimeSpanSet", t.consume_time_span_set);
}

std::string QueryConsumeTimeSpan::to_json() const { return encode_body(*this); }

Result<QueryConsumeTimeSpan> QueryConsumeTimeSpan::from_json(std::string_view body) {
  return decode_body<QueryConsumeTimeSpan>("QueryConsumeTimeSpan", body);
}

}  // namespace gantry::protocol
