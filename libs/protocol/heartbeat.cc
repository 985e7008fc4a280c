// SPDX-License-Identifier: Apache-2.0
#include "protocol/heartbeat.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {
namespace {

struct ProducerData {
  std::string group_name;
};

// The heartbeat with its producers as objects, as they travel.
struct HeartbeatWire {
  std::string client_id;
  std::vector<ProducerData> producers;
  std::vector<ConsumerData> consumers;
  std::int32_t heartbeat_fingerprint = 0;
  bool without_sub = false;
};

template <class F, Is<ProducerData> T>
void describe(F& f, T& t) {
  f("groupName", t.group_name);
}

template <class F, Is<HeartbeatWire> T>
void describe(F& f, T& t) {
  f("clientID", t.client_id);
  f("consumerDataSet", t.consumers);
  f("heartbeatFingerprint", t.heartbeat_fingerprint);
  f("producerDataSet", t.producers);
  f("withoutSub", t.without_sub);
}

}  // namespace

template <class F, Is<ConsumerData> T>
void describe(F& f, T& t) {
  f("consumeFromWhere", t.consume_from_where);
  f("consumeType", t.consume_type);
  f("groupName", t.group_name);
  f("messageModel", t.message_model);
  f("subscriptionDataSet", t.subscriptions);
  f("unitMode", t.unit_mode);
}

std::string HeartbeatData::to_json() const {
  HeartbeatWire wire{.client_id = client_id,
                     .producers = {},
                     .consumers = consumers,
                     .heartbeat_fingerprint = heartbeat_fingerprint,
                     .without_sub = without_sub};
  for (const std::string& group : producer_groups) wire.producers.push_back({group});
  return encode_body(wire);
}

Result<HeartbeatData> HeartbeatData::from_json(std::string_view body) {
  Result<HeartbeatWire> wire = decode_body<HeartbeatWire>("HeartbeatData", body);
  if (!wire) return std::unexpected(std::move(wire).error());
  HeartbeatData data{.client_id = std::move(wire->client_id),
                     .producer_groups = {},
                     .consumers = std::move(wire->consumers),
                     .heartbeat_fingerprint = wire->heartbeat_fingerprint,
                     .without_sub = wire->without_sub};
  for (ProducerData& producer : wire->producers) {
    data.producer_groups.push_back(std::move(producer.group_name));
  }
  return data;
}

}  // namespace gantry::protocol
