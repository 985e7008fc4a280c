// SPDX-License-Identifier: Apache-2.0
#include "protocol/topic_config.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

template <class F, Is<TopicConfigList> T>
void describe(F& f, T& t) {
  f("topicConfigList", t.configs);
}

std::string_view topic_filter_type_name(TopicFilterType type) {
  return kTopicFilterTypeNames[static_cast<std::size_t>(type)];
}

Result<TopicFilterType> topic_filter_type_from_name(std::string_view name) {
  return enum_from_name<TopicFilterType>("topicFilterType", name);
}

std::string TopicConfig::to_json() const { return encode_body(*this); }

Result<TopicConfig> TopicConfig::from_json(std::string_view body) {
  return decode_body<TopicConfig>("TopicConfig", body);
}

std::string TopicConfigTable::to_json() const { return encode_body(*this); }

Result<TopicConfigTable> TopicConfigTable::from_json(std::string_view body) {
  return decode_body<TopicConfigTable>("TopicConfigTable", body);
}

std::string TopicConfigList::to_json() const { return encode_body(*this); }

Result<TopicConfigList> TopicConfigList::from_json(std::string_view body) {
  return decode_body<TopicConfigList>("TopicConfigList", body);
}

}  // namespace gantry::protocol
