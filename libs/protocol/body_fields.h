// SPDX-License-Identifier: Apache-2.0
// Wire members of the types that several bodies share. Private to libs/protocol.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "protocol/body_codec.h"
#include "protocol/consumer_enums.h"
#include "protocol/data_version.h"
#include "protocol/kv_table.h"
#include "protocol/message_queue.h"
#include "protocol/route_data.h"
#include "protocol/subscription_data.h"
#include "protocol/topic_config.h"
#include "protocol/topic_queue_mapping.h"

namespace gantry::protocol {

inline constexpr std::array<std::string_view, 3> kConsumeTypeNames = {
    "CONSUME_ACTIVELY", "CONSUME_PASSIVELY", "CONSUME_POP"};
inline constexpr std::array<std::string_view, 2> kMessageModelNames = {"BROADCASTING",
                                                                       "CLUSTERING"};
inline constexpr std::array<std::string_view, 6> kConsumeFromWhereNames = {
    "CONSUME_FROM_LAST_OFFSET",  "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST",
    "CONSUME_FROM_MIN_OFFSET",   "CONSUME_FROM_MAX_OFFSET",
    "CONSUME_FROM_FIRST_OFFSET", "CONSUME_FROM_TIMESTAMP"};
inline constexpr std::array<std::string_view, 2> kTopicFilterTypeNames = {"SINGLE_TAG",
                                                                          "MULTI_TAG"};

inline std::span<const std::string_view> enum_names(ConsumeType) { return kConsumeTypeNames; }
inline std::span<const std::string_view> enum_names(MessageModel) { return kMessageModelNames; }
inline std::span<const std::string_view> enum_names(ConsumeFromWhere) {
  return kConsumeFromWhereNames;
}
inline std::span<const std::string_view> enum_names(TopicFilterType) {
  return kTopicFilterTypeNames;
}

template <class F, Is<DataVersion> T>
void describe(F& f, T& t) {
  f("counter", t.counter);
  f("stateVersion", t.state_version);
  f("timestamp", t.timestamp_ms);
}

template <class F, Is<MessageQueue> T>
void describe(F& f, T& t) {
  f("brokerName", t.broker_name);
  f("queueId", t.queue_id);
  f("topic", t.topic);
}

template <class F, Is<TopicConfig> T>
void describe(F& f, T& t) {
  f("attributes", t.attributes);
  f("order", t.order);
  f("perm", t.perm);
  f("readQueueNums", t.read_queue_nums);
  f("topicFilterType", t.topic_filter_type);
  f("topicName", t.topic_name);
  f("topicSysFlag", t.topic_sys_flag);
  f("writeQueueNums", t.write_queue_nums);
}

template <class F, Is<TopicQueueMappingInfo> T>
void describe(F& f, T& t) {
  f("bname", t.broker_name);
  f("currIdMap", t.curr_id_map);
  f("dirty", t.dirty);
  f("epoch", t.epoch);
  f("scope", t.scope);
  f("topic", t.topic);
  f("totalQueues", t.total_queues);
}

template <class F, Is<TopicConfigTable> T>
void describe(F& f, T& t) {
  f("dataVersion", t.data_version);
  f("mappingDataVersion", t.mapping_data_version);
  f("topicConfigTable", t.topics);
  f.fixed("topicQueueMappingDetailMap", "{}");
  f("topicQueueMappingInfoMap", t.mapping_infos);
}

template <class F, Is<SubscriptionData> T>
void describe(F& f, T& t) {
  f("classFilterMode", t.class_filter_mode);
  f("codeSet", t.code_set);
  f("expressionType", t.expression_type);
  f("subString", t.sub_string);
  f("subVersion", t.sub_version);
  f("tagsSet", t.tags_set);
  f("topic", t.topic);
}

template <class F, Is<BrokerData> T>
void describe(F& f, T& t) {
  f("brokerAddrs", t.broker_addrs);
  f("brokerName", t.broker_name);
  f("cluster", t.cluster);
  f("enableActingMaster", t.enable_acting_master);
  f("zoneName", t.zone_name);
}

template <class F, Is<KVTable> T>
void describe(F& f, T& t) {
  f("table", t.table);
}

}  // namespace gantry::protocol
