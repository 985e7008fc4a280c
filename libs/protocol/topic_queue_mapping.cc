// SPDX-License-Identifier: Apache-2.0
#include "protocol/topic_queue_mapping.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

std::string TopicQueueMappingInfo::to_json() const { return encode_body(*this); }

Result<TopicQueueMappingInfo> TopicQueueMappingInfo::from_json(std::string_view body) {
  return decode_body<TopicQueueMappingInfo>("TopicQueueMappingInfo", body);
}

}  // namespace gantry::protocol
