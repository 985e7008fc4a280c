// SPDX-License-Identifier: Apache-2.0
#include "protocol/query_consume_queue.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

template <class F, Is<ConsumeQueueEntry> T>
void describe(F& f, T& t) {
  f("bitMap", t.bit_map);
  f("eval", t.eval);
  f("extendDataJson", t.extend_data_json);
  f("msg", t.msg);
  f("physicOffset", t.physic_offset);
  f("physicSize", t.physic_size);
  f("tagsCode", t.tags_code);
}

template <class F, Is<QueryConsumeQueueResponse> T>
void describe(F& f, T& t) {
  f("filterData", t.filter_data);
  f("maxQueueIndex", t.max_queue_index);
  f("minQueueIndex", t.min_queue_index);
  f("queueData", t.queue_data);
  f("subscriptionData", t.subscription_data);
}

std::string QueryConsumeQueueResponse::to_json() const { return encode_body(*this); }

Result<QueryConsumeQueueResponse> QueryConsumeQueueResponse::from_json(std::string_view body) {
  return decode_body<QueryConsumeQueueResponse>("QueryConsumeQueueResponse", body);
}

}  // namespace gantry::protocol
