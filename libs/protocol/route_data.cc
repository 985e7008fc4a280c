// SPDX-License-Identifier: Apache-2.0
#include "protocol/route_data.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

template <class F, Is<QueueData> T>
void describe(F& f, T& t) {
  f("brokerName", t.broker_name);
  f("perm", t.perm);
  f("readQueueNums", t.read_queue_nums);
  f.read_only("topicSynFlag", t.topic_sys_flag);  // RocketMQ 4
  f("topicSysFlag", t.topic_sys_flag);
  f("writeQueueNums", t.write_queue_nums);
}

template <class F, Is<TopicRouteData> T>
void describe(F& f, T& t) {
  f("brokerDatas", t.broker_datas);
  f("filterServerTable", t.filter_server_table);
  f("orderTopicConf", t.order_topic_conf);
  f("queueDatas", t.queue_datas);
  f("topicQueueMappingByBroker", t.topic_queue_mapping_by_broker);
}

std::string TopicRouteData::to_json() const { return encode_body(*this); }

Result<TopicRouteData> TopicRouteData::from_json(std::string_view body) {
  return decode_body<TopicRouteData>("TopicRouteData", body);
}

}  // namespace gantry::protocol
