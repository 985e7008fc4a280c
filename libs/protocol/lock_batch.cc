// SPDX-License-Identifier: Apache-2.0
#include "protocol/lock_batch.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

template <class F, Is<LockBatchRequest> T>
void describe(F& f, T& t) {
  f("clientId", t.client_id);
  f("consumerGroup", t.consumer_group);
  f("mqSet", t.mq_set);
  f("onlyThisBroker", t.only_this_broker);
}

template <class F, Is<LockBatchResponse> T>
void describe(F& f, T& t) {
  f("lockOKMQSet", t.lock_ok_mq_set);
}

std::string LockBatchRequest::to_json() const { return encode_body(*this); }

Result<LockBatchRequest> LockBatchRequest::from_json(std::string_view body) {
  return decode_body<LockBatchRequest>("LockBatchRequest", body);
}

std::string LockBatchResponse::to_json() const { return encode_body(*this); }

Result<LockBatchResponse> LockBatchResponse::from_json(std::string_view body) {
  return decode_body<LockBatchResponse>("LockBatchResponse", body);
}

}  // namespace gantry::protocol
