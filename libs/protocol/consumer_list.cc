// SPDX-License-Identifier: Apache-2.0
#include "protocol/consumer_list.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

template <class F, Is<ConsumerList> T>
void describe(F& f, T& t) {
  f("consumerIdList", t.consumer_ids);
}

std::string ConsumerList::to_json() const { return encode_body(*this); }

Result<ConsumerList> ConsumerList::from_json(std::string_view body) {
  return decode_body<ConsumerList>("ConsumerList", body);
}

}  // namespace gantry::protocol
