// SPDX-License-Identifier: Apache-2.0
#include "protocol/topic_list.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

template <class F, Is<TopicList> T>
void describe(F& f, T& t) {
  f("brokerAddr", t.broker_addr);
  f("topicList", t.topics);
}

template <class F, Is<GroupList> T>
void describe(F& f, T& t) {
  f("groupList", t.groups);
}

std::string TopicList::to_json() const { return encode_body(*this); }

Result<TopicList> TopicList::from_json(std::string_view body) {
  return decode_body<TopicList>("TopicList", body);
}

std::string GroupList::to_json() const { return encode_body(*this); }

Result<GroupList> GroupList::from_json(std::string_view body) {
  return decode_body<GroupList>("GroupList", body);
}

}  // namespace gantry::protocol
