// SPDX-License-Identifier: Apache-2.0
#include "protocol/group_bodies.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

template <class F, Is<QuerySubscriptionResponse> T>
void describe(F& f, T& t) {
  f("group", t.group);
  f("subscriptionData", t.subscription_data);
  f("topic", t.topic);
}

template <class F, Is<GroupForbidden> T>
void describe(F& f, T& t) {
  f("group", t.group);
  f("readable", t.readable);
  f("topic", t.topic);
}

template <class F, Is<QueryCorrectionOffsetBody> T>
void describe(F& f, T& t) {
  f("correctionOffsets", t.correction_offsets);
}

std::string QuerySubscriptionResponse::to_json() const { return encode_body(*this); }

Result<QuerySubscriptionResponse> QuerySubscriptionResponse::from_json(std::string_view body) {
  return decode_body<QuerySubscriptionResponse>("QuerySubscriptionResponse", body);
}

std::string GroupForbidden::to_json() const { return encode_body(*this); }

Result<GroupForbidden> GroupForbidden::from_json(std::string_view body) {
  return decode_body<GroupForbidden>("GroupForbidden", body);
}

std::string QueryCorrectionOffsetBody::to_json() const { return encode_body(*this); }

Result<QueryCorrectionOffsetBody> QueryCorrectionOffsetBody::from_json(std::string_view body) {
  return decode_body<QueryCorrectionOffsetBody>("QueryCorrectionOffsetBody", body);
}

}  // namespace gantry::protocol
